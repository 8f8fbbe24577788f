"""Stored objects with `DAYPASS_STORED_OBJECTS=per-account`: each account sees only its own."""

from typing import Any
from urllib.parse import unquote_plus

import orjson

from daypass.gateway.call import Call
from daypass.gateway.endpoint_policy import turned_off
from daypass.gateway.endpoints import EndpointClass
from daypass.gateway.errors import server_error
from daypass.gateway.headers import is_event_stream
from daypass.gateway.learned_ids import ids_in_answer
from daypass.gateway.model_list import without_models
from daypass.gateway.named_models import models_in_document
from daypass.gateway.owned_events import OwnedEvents
from daypass.gateway.owned_list import Listing, listing_of, only_own
from daypass.gateway.ownership import Ownership
from daypass.gateway.stored_names import (
    ID_MEMBERS,
    StoredName,
    stored_names,
    stored_names_in_query,
)
from daypass.gateway.whole_answer import read_whole
from daypass.upstreams.base import UpstreamBrokeError, UpstreamResponse
from daypass.upstreams.whole_response import WholeResponse

ANSWER_BYTES = 64 * 1024 * 1024
FINE_TUNED = "ft:"
"""The prefix of OpenAI's fine-tuned model names."""
WHOLE_STORE = frozenset({"logs", "responses", "stored_completions"})
"""Eval data sources that read everything stored in the operator's account."""


class OwnedObjects:
    """Checks the objects that requests name, and records those that answers create."""

    def __init__(self, ownership: Ownership) -> None:
        self._ownership = ownership

    async def check(self, call: Call, document: dict[str, Any]) -> None:
        """Raise GatewayError 404 if a request names an object of another account."""
        endpoint = call.route.endpoint
        owned, within = _names_in_target(call)
        owned += stored_names(document)
        if call.model.startswith(FINE_TUNED):
            within += [StoredName("model", call.model)]
        if isinstance(call.body, bytes) and FINE_TUNED.encode() in call.body:
            within += [
                StoredName("model", model)
                for model in models_in_document(document)
                if model.startswith(FINE_TUNED)
            ]
        if endpoint.pattern.startswith("/evals"):
            _refuse_whole_store(document)
        await self._ownership.check(call.principal.account_id, owned, within)
        if is_whole_list(call):
            call.listing, call.target = listing_of(call.target)

    async def check_names(self, call: Call, names: list[StoredName]) -> None:
        """Raise GatewayError 404 if a form field names an object of another account."""
        await self._ownership.check(call.principal.account_id, names, [])

    async def guard(self, call: Call, response: UpstreamResponse) -> UpstreamResponse:
        """Return an answer without other accounts' objects; record new ones as the client's.

        Raises GatewayError and DatabaseUnavailableError; the answer must then not be relayed.
        """
        if not 200 <= response.status < 300:
            return response
        endpoint = call.route.endpoint
        if call.listing is not None:
            return await self._only_own(call, call.listing, response)
        if endpoint.pattern == "/models":
            return await self._without_others_models(call.principal.account_id, response)
        if endpoint.method == "DELETE" and len(call.route.parameters) == 1:
            await self._ownership.remove(next(iter(call.route.parameters.values())))
        elif call.makes_objects:
            return await self._note_objects(call.principal.account_id, response)
        return response

    async def _note_objects(self, account_id: str, response: UpstreamResponse) -> UpstreamResponse:
        if is_event_stream(response.headers):
            events = OwnedEvents(response, self._ownership, account_id)
            try:
                await events.begin()
            except UpstreamBrokeError:
                message = "The upstream broke off its answer."
                raise server_error(502, "upstream_broke_off", message) from None
            return events
        body = await read_whole(response, ANSWER_BYTES)
        if body:
            await self._ownership.claim(account_id, ids_in_answer(_parse(body)))
        return WholeResponse(response, body, unchanged=True)

    async def _only_own(
        self, call: Call, listing: Listing, response: UpstreamResponse
    ) -> UpstreamResponse:
        if call.target.method == "HEAD":
            return WholeResponse(response, await read_whole(response, ANSWER_BYTES))
        account_id = call.principal.account_id
        upstream = call.candidates[0].member.upstream
        return await only_own(listing, response, upstream, self._ownership, account_id)

    async def _without_others_models(
        self, account_id: str, response: UpstreamResponse
    ) -> UpstreamResponse:
        async def hidden(names: list[str]) -> set[str]:
            fine_tuned = [name for name in names if name.startswith(FINE_TUNED)]
            return await self._ownership.others(account_id, fine_tuned) if fine_tuned else set()

        return await without_models(hidden, response)


def is_whole_list(call: Call) -> bool:
    """Return whether this call lists all objects of one kind in the operator's account."""
    endpoint = call.route.endpoint
    is_list = endpoint.method == "GET" and not call.route.parameters
    return is_list and endpoint.cls is EndpointClass.STORED


def _names_in_target(call: Call) -> tuple[list[StoredName], list[StoredName]]:
    """Return the names in path and query: those the account must own, and those within them."""
    endpoint = call.route.endpoint
    if endpoint.cls is not EndpointClass.STORED:
        named = list(stored_names_in_query(call.target.query))
        model = call.route.parameters.get("model", "")
        return named, [StoredName("model", model)] if model.startswith(FINE_TUNED) else []
    in_path = [StoredName(name, value) for name, value in call.route.parameters.items()]
    in_query = []
    for pair in call.target.query.split(b"&"):
        name, _, value = (unquote_plus(x.decode("latin-1")) for x in pair.partition(b"="))
        folded = name.partition("[")[0].strip().casefold()
        if folded in ID_MEMBERS or folded in ("after", "before"):
            in_query.append(StoredName(name, value))
    if in_path:
        return in_path[:1], [*in_path[1:], *in_query]
    return in_query, []


def _refuse_whole_store(document: Any) -> None:
    """Raise GatewayError 403 for an eval over objects stored by all accounts."""
    if isinstance(document, dict):
        for name, value in document.items():
            is_type = name.casefold() == "type" and isinstance(value, str)
            if is_type and value.casefold() in WHOLE_STORE:
                message = f"An eval over {value!r} is turned off: it reads what others stored."
                raise turned_off(message, "type")
            _refuse_whole_store(value)
    elif isinstance(document, list):
        for item in document:
            _refuse_whole_store(item)


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        message = "The upstream's answer is no JSON, so that Daypass cannot tell whose it is."
        raise server_error(502, "upstream_unreadable", message) from None
