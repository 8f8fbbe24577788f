"""The models that a request names, in every place from which an upstream may take one."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from daypass.domain.plans import UsagePlan
from daypass.gateway.endpoints import ModelChoice, Route
from daypass.gateway.errors import GatewayError

MEMBERS = frozenset(
    {"model", "model_id", "model_name", "deployment_id", "deployment_name"}
    | {"draft_model", "speculative_model", "target_model_names"}
    | {"models", "fallback", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks"}
)
"""Members in which OpenAI, Azure, OpenRouter, LiteLLM and others take models, in any case."""
TOP_MEMBERS = MEMBERS | {"deployment", "engine", "preset"}
"""Those of the request itself, its form fields and its query parameters.

Deeper down an engine is that of a search or of a file parser.
"""

FREE_FORM = frozenset(
    {"arguments", "content", "env", "input_schema", "json_schema", "metadata", "schema"}
    | {"variables"}
)
"""Members that hold the caller's own data, in which a member `model` chooses nothing."""

FUNCTION_MEMBERS = 30
"""More than a function's definition has. A large document may hold `parameters` in many spellings,
and is not to be searched for each."""

SEPARATORS = re.compile(r"[\[\].]+")
"""What parts the names in a field's name, such as `images[0][file_id]`."""

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
    """Whether a member of this document, its name in lower case, holds the caller's own data."""
    return name in FREE_FORM or (name == "parameters" and is_function(document))


def is_function(document: Mapping[str, Any]) -> bool:
    """Whether the `parameters` of this document are a function's: a JSON schema.

    Those of a data source (Azure) are its settings, which name models and stored objects. So are
    those of a whole request, as some upstreams take them.
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
    """Whether a form field or a query parameter of this name, such as `models[0]`, names one."""
    return any(part.strip() in TOP_MEMBERS for part in SEPARATORS.split(name.casefold()))


def check_models(plan: UsagePlan, route: Route, named: list[str]) -> None:
    """Raise GatewayError 404 unless the plan includes every model that a request names.

    A call that must use a model has to name one, and none may leave the choice to a file.
    """
    if not plan.models:
        return
    for model in named:
        # LiteLLM takes several, separated by commas.
        if not all(plan.allows(one) for one in model.split(",")):
            raise _not_included(plan, f"the model {model[:100]}" if model else "an empty model")
    choice = route.endpoint.model
    if choice is ModelChoice.IN_FILE:
        raise _not_included(plan, "requests whose models are named in a file")
    if choice is ModelChoice.REQUIRED and not named:
        raise _not_included(plan, "a request that names no model")


def _named(value: Any) -> Iterator[str]:
    """Yield the models in the value of a member that names them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        inner = list(models_in_document(value))
        # Without one it is LiteLLM's form: {"a model": ["its fallback"]}.
        yield from inner or _texts(value)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value, at any depth."""
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


def _not_included(plan: UsagePlan, what: str) -> GatewayError:
    allowed = ", ".join(sorted(plan.models))
    message = f"Your usage plan {plan.id} does not include {what}. It includes: {allowed}."
    return GatewayError(404, "model_not_found", message, param="model")
