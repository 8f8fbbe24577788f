"""The upstreams' list of models, filtered by usage plan."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog

from daypass.gateway.errors import GatewayError
from daypass.gateway.merged_models import (
    LIST_BYTES,
    merge_models,
    model_name,
    no_model_list,
)
from daypass.gateway.principal import Principal
from daypass.gateway.verdict import failure_of, is_refusal, no_upstream, refused_operator
from daypass.gateway.whole_answer import read_whole
from daypass.upstreams.base import UpstreamError, UpstreamRequest, UpstreamResponse
from daypass.upstreams.current import CurrentUpstreams
from daypass.upstreams.read_ahead import read_ahead
from daypass.upstreams.refusals import LastRefusal
from daypass.upstreams.whole_response import WholeResponse

log = structlog.get_logger()


async def fetch_model_names(upstreams: CurrentUpstreams, last_refusal: LastRefusal) -> list[str]:
    """Return the ids of the upstreams' models. Raises GatewayError 502 or 504."""
    if not upstreams.members:
        raise no_upstream()
    request = UpstreamRequest("GET", b"/models", [], b"")
    try:
        if upstreams.only:
            response = await upstreams.members[0].upstream.open(request)
        else:
            response = await merge_models(upstreams.members, request, last_refusal)
    except UpstreamError as error:
        log.warning("upstream_failed", reason=str(error) or type(error).__name__)
        raise failure_of(error, b"") from error
    try:
        if is_refusal(response):
            last_refusal.note(response.status, (await read_ahead(response)).beginning)
            raise refused_operator()
        body = await read_whole(response, LIST_BYTES)
        return [str(model["id"]) for model in orjson.loads(body)["data"]]
    except (ValueError, KeyError, TypeError):
        raise no_model_list() from None
    except GatewayError as error:
        raise error if error.code == "upstream_misconfigured" else no_model_list() from None
    finally:
        response.close()


async def only_models_of(principal: Principal, response: UpstreamResponse) -> UpstreamResponse:
    """Return a list of models without those that the plan or the key does not allow.

    Raises GatewayError 502 if the answer is not a list of models.
    """

    async def hidden(names: list[str]) -> set[str]:
        return {name for name in names if not principal.allows(name)}

    return await without_models(hidden, response)


async def without_models(
    hidden: Callable[[list[str]], Awaitable[set[str]]], response: UpstreamResponse
) -> UpstreamResponse:
    """Return a list of models without those that `hidden` selects.

    Raises GatewayError 502 if the answer is not a list of models.
    """
    body = await read_whole(response, LIST_BYTES)
    if not body:  # the answer to a HEAD request
        return WholeResponse(response, b"")
    try:
        document = orjson.loads(body)
    except ValueError:
        raise no_model_list() from None
    if not isinstance(document, dict | list):
        raise no_model_list()
    # llama.cpp lists its models twice, as `data` and as `models`; Together sends a bare list.
    lists = [document] if isinstance(document, list) else list(document.values())
    names = [model_name(model) for models in lists if isinstance(models, list) for model in models]
    out = await hidden([name for name in names if name is not None])

    def shown(models: list[Any]) -> list[Any]:
        return [model for model in models if model_name(model) not in (None, *out)]

    if isinstance(document, list):
        return WholeResponse(response, orjson.dumps(shown(document)))
    kept = {
        name: shown(value) if isinstance(value, list) else value for name, value in document.items()
    }
    data = kept.get("data")
    ids = [item["id"] for item in data if "id" in item] if isinstance(data, list) else []
    for name, place in (("first_id", 0), ("last_id", -1)):  # Anthropic's format
        if name in kept:
            kept[name] = ids[place] if ids else None
    return WholeResponse(response, orjson.dumps(kept))
