"""Reads and checks requests; refuses those that the site or the client's plan does not allow."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from daypass.gateway.call import Call
from daypass.gateway.endpoint_policy import EndpointPolicy, stored_objects_off
from daypass.gateway.endpoints import EndpointClass
from daypass.gateway.errors import GatewayError
from daypass.gateway.form_body import FormBody
from daypass.gateway.form_bound import check_bound, sets_bound
from daypass.gateway.form_fields import is_wanted, models_in_field, stored_names_in_field
from daypass.gateway.forms import Field, is_form
from daypass.gateway.headers import request_headers, without_model_choice
from daypass.gateway.named_models import check_models, models_in_document, models_in_query
from daypass.gateway.owned_objects import OwnedObjects
from daypass.gateway.principal import Principal
from daypass.gateway.request import (
    StreamedBody,
    Target,
    declared_length,
    document_of,
    is_json,
    model_to_record,
    read_body,
)
from daypass.gateway.request_meter import RequestMeter
from daypass.gateway.stored_names import (
    StoredName,
    may_name_stored_objects,
    stored_names,
    stored_names_in_query,
)
from daypass.gateway.upstream_choice import choose_upstreams
from daypass.http.types import Headers, Receive
from daypass.upstreams.current import CurrentUpstreams

PARAM_LENGTH = 200
WITH_BODY = ("POST", "PUT", "PATCH")
_IN_BACKGROUND = re.compile(
    rb"(?:^|[&;])\s*background\s*=\s*(?!(?:false|0)?(?:[&;]|$))", re.IGNORECASE
)


class CallReader:
    """Turns requests into calls, and refuses those that the site or the plan does not allow."""

    def __init__(
        self,
        policy: EndpointPolicy,
        owned: OwnedObjects | None,
        meter: RequestMeter,
        upstreams: CurrentUpstreams,
        max_body_bytes: int,
    ) -> None:
        """Create a reader. `owned` is None unless stored objects are per account."""
        self._upstreams = upstreams
        self._policy = policy
        self._owned = owned
        self._meter = meter
        self._max_body_bytes = max_body_bytes

    async def read(
        self,
        headers: Headers,
        by_name: Mapping[bytes, bytes],
        receive: Receive,
        principal: Principal,
        target: Target,
    ) -> Call:
        """Read and check a request before it is counted. Raises GatewayError."""
        route = self._policy.route(target)
        length = declared_length(by_name, self._max_body_bytes)
        kept = request_headers(headers, by_name)
        if principal.limits_models or principal.limits_cost:
            kept = without_model_choice(kept)
        call = Call(principal, route, target, kept, b"", "", "api")
        content_type = by_name.get(b"content-type", b"")
        takes_form = route.endpoint.takes_form and is_form(content_type)
        if self._reads_forms(call) or (takes_form and self._reads_all(call)):
            _refuse_second_content_type(headers)
        if takes_form:
            await self._read_form(call, receive, headers, length)
        elif is_json(by_name) or self._reads_all(call):
            call.body = await read_body(receive, self._max_body_bytes)
            await self._check(call, document_of(call.body))
        elif target.method not in WITH_BODY:
            call.body = await read_body(receive, self._max_body_bytes)
            await self._check(call, {})
        else:
            call.body = StreamedBody(receive, self._max_body_bytes, length=length, headers=headers)
            await self._check(call, {})
        return call

    async def read_chat(self, principal: Principal, body: bytes) -> Call:
        """Check a chat completion requested by the site itself. Raises GatewayError."""
        target = Target("POST", b"/chat/completions", b"")
        headers = [(b"content-type", b"application/json")]
        call = Call(principal, self._policy.route(target), target, headers, body, "", "chat")
        await self._check(call, document_of(body))
        return call

    def _reads_all(self, call: Call) -> bool:
        """Return whether to parse the body as JSON whatever its type, as some upstreams do."""
        is_metered = call.route.endpoint.cls is EndpointClass.METERED
        return is_metered or self._is_strict(call)

    def _reads_forms(self, call: Call) -> bool:
        """Return whether to refuse forms that parsers may read differently."""
        is_off = self._policy.stored_objects == "off"
        return self._is_strict(call) or call.principal.limits_tokens or is_off

    def _is_strict(self, call: Call) -> bool:
        """Return whether a body must be parsed before it may be relayed."""
        principal = call.principal
        return principal.limits_models or principal.limits_cost or self._owned is not None

    async def _check(
        self, call: Call, document: dict[str, Any], in_form: tuple[str, ...] = ()
    ) -> None:
        """Check what a request names, choose its upstreams, and bound what it uses."""
        self._check_models(call, document, in_form)
        if self._owned is not None:
            call.stores = bool(document.get("store")) and call.route.endpoint.pattern.endswith(
                "/chat/completions"
            )
            await self._owned.check(call, document)
        elif self._policy.stored_objects == "off":
            _refuse_stored_objects(call, document)
        call.candidates = self._upstreams.only or choose_upstreams(
            self._upstreams, call, document, keeps_objects=self._policy.stored_objects != "off"
        )
        self._meter.prepare(call, document, self._max_body_bytes)

    def _check_models(
        self, call: Call, document: dict[str, Any], in_form: tuple[str, ...] = ()
    ) -> None:
        """Check the models that a request names, and set the model to record."""
        principal = call.principal
        in_path = call.route.parameters.get("model")
        named = document.get("model")
        if principal.limits_models or principal.limits_cost:
            models = [*models_in_document(document), *models_in_query(call.target.query), *in_form]
            if in_path is not None:
                models.append(in_path)
            if principal.limits_models:
                check_models(principal, call.route, models)
            if principal.limits_cost:
                _refuse_several_models(models)
            named = named if isinstance(named, str) else (models[0] if models else "")
        elif not isinstance(named, str):
            elsewhere = [*in_form, *models_in_query(call.target.query), in_path or ""]
            named = elsewhere[0]
        call.model = model_to_record(named)

    async def _read_form(
        self, call: Call, receive: Receive, headers: Headers, length: int | None
    ) -> None:
        """Stream a form, but hold it back until its model has been read."""
        # For the plan's list, or for the price.
        needs_model = call.principal.limits_models or call.principal.limits_cost
        is_limited = call.principal.limits_tokens or call.principal.limits_cost
        pattern = call.route.endpoint.pattern
        models: list[str] = []

        async def examine(field: Field) -> None:
            stored = list(stored_names_in_field(field))
            if self._owned is not None:
                await self._owned.check_names(call, stored)
            elif self._policy.stored_objects == "off":
                _refuse_names(stored)
            if is_limited:
                check_bound(pattern, field)
            if models and not needs_model:  # Only the first model is recorded; none is checked.
                return
            models.extend(models_in_field(field))
            if needs_model and len(models) > 1:
                message = "The form names its model twice."
                raise GatewayError(400, "invalid_form", message, param="model", uncounted=True)
            if models:
                self._check_models(call, {}, tuple(models))

        call.body = body = FormBody(
            receive,
            self._max_body_bytes,
            headers,
            length=length,
            wants=lambda name, is_file: (
                is_wanted(name, is_file) or (is_limited and sets_bound(name, is_file))
            ),
            examine=examine,
            strict=self._reads_forms(call),
        )
        # If nothing depends on the model, the first piece is enough.
        await body.hold(lambda: bool(models) or not needs_model)
        await self._check(call, {}, tuple(models))


def _refuse_stored_objects(call: Call, document: dict[str, Any]) -> None:
    """Raise GatewayError 403 for a request that names or creates a stored object.

    While stored objects are off, they have no owners, so no client may read them.
    """
    # For images, `background` is a color.
    makes_images = "/images/" in call.route.endpoint.pattern
    in_body = any(document[name] for name in document if name.casefold() == "background")
    in_query = _IN_BACKGROUND.search(unquote_to_bytes(call.target.query)) is not None
    if not makes_images and (in_body or in_query):
        raise stored_objects_off("A response in the background", "background")
    _refuse_names(stored_names_in_query(call.target.query))
    if may_name_stored_objects(document):
        _refuse_names(stored_names(document))


def _refuse_names(names: Iterable[StoredName]) -> None:
    for name in names:
        param = name.param[:PARAM_LENGTH]
        raise stored_objects_off(f"A request that names a stored object ({param})", param)


def _refuse_several_models(models: Iterable[str]) -> None:
    """Raise GatewayError 400 for several models: the upstream may bill any of them."""
    if len(set(models)) > 1:
        message = "Cost is limited here, so a request must name exactly one model."
        raise GatewayError(400, "invalid_request", message, param="model", uncounted=True)


def _refuse_second_content_type(headers: Headers) -> None:
    """Raise GatewayError 400 for two content types: the upstream may use the other one."""
    if sum(name == b"content-type" for name, _ in headers) > 1:
        message = "The request has two content types: send one."
        raise GatewayError(400, "invalid_request", message, uncounted=True)
