"""The models of several upstreams in one list."""

import asyncio
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import orjson
import structlog

from daypass.gateway.errors import GatewayError, server_error
from daypass.gateway.verdict import is_refusal
from daypass.gateway.whole_answer import read_whole
from daypass.upstreams.base import UpstreamError, UpstreamRequest, UpstreamResponse
from daypass.upstreams.member import Member
from daypass.upstreams.read_ahead import read_ahead
from daypass.upstreams.refusals import LastRefusal
from daypass.upstreams.whole_response import WholeResponse

LIST_BYTES = 4 * 1024 * 1024
"""The longest list of models that is read, in bytes."""
LIST_S = 10.0
"""How long each upstream may take to list its models, in seconds."""

_NAMES = ("id", "name", "model")
_GLOB = frozenset("*?[")

log = structlog.get_logger()


class _Listed(NamedTuple):
    """An upstream's answer, and the models in it."""

    response: UpstreamResponse
    document: dict[str, Any]
    models: list[Any]


async def merge_models(
    members: Sequence[Member], request: UpstreamRequest, last_refusal: LastRefusal
) -> UpstreamResponse:
    """Return the models that clients can use of all upstreams, with aliases, each once.

    An upstream that does not answer is left out. Raises GatewayError 502 if none answers.
    """
    asked = (_list_of(x, request, last_refusal) for x in members)
    answers = await asyncio.gather(*asked)
    first = next((x for x in answers if x is not None), None)
    if first is None:
        raise no_model_list()
    merged: dict[str, Any] = {}
    for member, answer in zip(members, answers, strict=True):
        for name, model in _shown(member, answer.models if answer is not None else []):
            merged.setdefault(name, model)
    names = list(merged)
    document = {"object": "list"} | first.document | {"data": list(merged.values())}
    if "has_more" in document:  # Anthropic's format
        ends = {"first_id": names[0], "last_id": names[-1]} if names else {}
        document |= {"has_more": False, "first_id": None, "last_id": None} | ends
    return WholeResponse(first.response, orjson.dumps(document))


async def _list_of(
    member: Member, request: UpstreamRequest, last_refusal: LastRefusal
) -> _Listed | None:
    try:
        async with asyncio.timeout(LIST_S):
            response = await member.upstream.open(request)
            if is_refusal(response):
                last_refusal.note(response.status, (await read_ahead(response)).beginning)
                response.close()
                return None
            document = orjson.loads(await read_whole(response, LIST_BYTES))
    except (TimeoutError, UpstreamError, GatewayError, ValueError) as error:
        log.warning("models_not_listed", upstream=member.name, reason=type(error).__name__)
        return None
    if isinstance(document, list):  # Together
        document = {"data": document}
    models = document.get("data") if isinstance(document, dict) else None
    if not 200 <= response.status < 300 or not isinstance(models, list):
        log.warning("models_not_listed", upstream=member.name, reason=str(response.status))
        return None
    kept = {x: document[x] for x in ("object", "has_more") if x in document}
    return _Listed(response, kept, models)


def _shown(member: Member, models: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the name and the entry of each model that is asked of this upstream."""
    by_name = {name: model for model in models if (name := model_name(model)) is not None}
    for alias, name in member.aliases.items():
        listed = by_name.get(name)
        yield alias, {**(listed if isinstance(listed, dict) else _entry()), "id": alias}
    for name, model in by_name.items():
        if not member.models or any(fnmatchcase(name, glob) for glob in member.models):
            yield name, model
    # Some upstreams list no models, or not all of them.
    for name in member.models:
        if _GLOB.isdisjoint(name):
            yield name, {**_entry(), "id": name}


def _entry() -> dict[str, Any]:
    return {"id": "", "object": "model", "created": 0, "owned_by": "upstream"}


def model_name(model: Any) -> str | None:
    """Return the name of a model in a list, or None."""
    if isinstance(model, str):
        return model
    names = [model.get(name) for name in _NAMES] if isinstance(model, dict) else []
    return next((name for name in names if isinstance(name, str)), None)


def no_model_list() -> GatewayError:
    """Return the 502 for an upstream that does not list its models."""
    message = "The upstream does not list its models."
    return server_error(502, "upstream_misconfigured", message)
