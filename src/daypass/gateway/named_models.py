"""Finds the models that a request names, wherever an upstream may read them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from daypass.gateway.endpoints import ModelChoice, Route
from daypass.gateway.errors import GatewayError
from daypass.gateway.principal import Principal

MEMBERS = frozenset(
    {"model", "model_id", "model_name", "deployment_id", "deployment_name"}
    | {"draft_model", "speculative_model", "target_model_names"}
    | {"models", "fallback", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks"}
)
"""Members that name models for OpenAI, Azure, OpenRouter, LiteLLM and others; in any case."""
TOP_MEMBERS = MEMBERS | {"deployment", "engine", "preset"}
"""Members that name models at the top level, in form fields and in query parameters.

In nested objects, `engine` names a search engine or a file parser.
"""

FREE_FORM = frozenset(
    {"arguments", "content", "env", "input_schema", "json_schema", "metadata", "schema"}
    | {"variables"}
)
"""Members that hold the client's own data. A `model` inside them does not choose a model."""

FUNCTION_MEMBERS = 30
"""More members than a function definition has. It bounds the work on a large document that spells
`parameters` in many ways."""

SEPARATORS = re.compile(r"[\[\].]+")
"""Separators in a field name such as `images[0][file_id]`."""

_QUERY_SEPARATORS = re.compile(rb"[&;]")


def models_in_document(
    document: Mapping[str, Any], members: frozenset[str] = TOP_MEMBERS
) -> Iterator[str]:
    """Yield every model that a JSON body names, at any depth."""
    for name, value in document.items():
        folded = name.casefold()
        if folded in members:
            yield from _named(value)
        elif folded == "extra_body" and isinstance(value, dict):
            yield from models_in_document(value)
        elif not is_free_form(folded, document):
            yield from _nested(value)


def is_free_form(name: str, document: Mapping[str, Any]) -> bool:
    """Return whether a member, given its lower-case name, holds the client's own data."""
    return name in FREE_FORM or (name == "parameters" and is_function(document))


def is_function(document: Mapping[str, Any]) -> bool:
    """Return whether the `parameters` of this document are a function's JSON schema.

    An Azure data source has `parameters` too, but they are settings that may name models and
    stored objects. So are those of a whole request, which some upstreams accept.
    """
    if len(document) > FUNCTION_MEMBERS:
        return False
    folded = {name.casefold() for name in document}
    is_request = not folded.isdisjoint({"model", "messages", "input", "prompt"})
    is_typed = "type" in folded and document.get("type") != "function"
    return "name" in document and not is_request and not is_typed


def models_in_query(query: bytes) -> Iterator[str]:
    """Yield every model that a query string names."""
    for pair in _QUERY_SEPARATORS.split(query):
        name, _, value = pair.partition(b"=")
        if names_model(unquote_plus(name.decode("latin-1"))):
            yield unquote_plus(value.decode("latin-1"))


def names_model(name: str) -> bool:
    """Return whether a form field or query parameter, such as `models[0]`, names a model."""
    return any(part.strip() in TOP_MEMBERS for part in SEPARATORS.split(name.casefold()))


def check_models(principal: Principal, route: Route, named: list[str]) -> None:
    """Raise GatewayError 404 unless the plan and the key allow every model that a request names.

    If they are limited to some models, also refuse calls that leave out a required model or name
    it in a file.
    """
    if not principal.limits_models:
        return
    for model in named:
        # LiteLLM accepts several models, separated by commas.
        if not all(principal.allows(one) for one in model.split(",")):
            raise _not_included(
                principal, f"the model {model[:100]}" if model else "an empty model"
            )
    choice = route.endpoint.model
    if choice is ModelChoice.IN_FILE:
        raise _not_included(principal, "requests whose models are named in a file")
    if choice is ModelChoice.REQUIRED and not named:
        raise _not_included(principal, "a request that names no model")


def _named(value: Any) -> Iterator[str]:
    """Yield the models in the value of a member that names models."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        inner = list(models_in_document(value))
        # Otherwise it is LiteLLM's format: {"a model": ["its fallback"]}.
        yield from inner or _texts(value)


def _texts(value: Any) -> Iterator[str]:
    """Yield every string in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _nested(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from models_in_document(value, MEMBERS)
    elif isinstance(value, list):
        for item in value:
            yield from _nested(item)


def _not_included(principal: Principal, what: str) -> GatewayError:
    plan = principal.usage_plan
    in_plan, by_key = ", ".join(sorted(plan.models)), ", ".join(sorted(principal.key_models))
    if not by_key:
        message = f"Your usage plan {plan.id} does not include {what}. It includes: {in_plan}."
    elif not in_plan:
        message = f"This API key does not allow {what}. It allows: {by_key}."
    else:
        message = (
            f"This API key does not allow {what}. It allows: {by_key}. Of those it can use only "
            f"what its usage plan {plan.id} includes: {in_plan}."
        )
    return GatewayError(404, "model_not_found", message, param="model")
