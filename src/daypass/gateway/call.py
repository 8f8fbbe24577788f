"""A request read and checked: what goes to the upstream once its units are reserved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from daypass.asgi import Headers, Receive
from daypass.gateway.authenticate import Principal
from daypass.gateway.endpoint_policy import EndpointPolicy, stored_objects_off
from daypass.gateway.endpoints import EndpointClass, Route
from daypass.gateway.errors import GatewayError
from daypass.gateway.form_body import FormBody
from daypass.gateway.forms import Field, is_form
from daypass.gateway.named_models import (
    check_models,
    models_in_document,
    models_in_query,
    names_model,
)
from daypass.gateway.relay import request_headers
from daypass.gateway.request import (
    StreamedBody,
    Target,
    declared_length,
    document_of,
    is_json,
    model_to_record,
    read_body,
)
from daypass.gateway.stored_names import may_name_stored_objects, stored_names
from daypass.gateway.upstream import UpstreamRequest

PARAM_LENGTH = 200
WITH_BODY = ("POST", "PUT", "PATCH")


@dataclass(slots=True)
class Call:
    """One authenticated request on its way to the upstream."""

    principal: Principal
    route: Route
    target: Target
    headers: Headers
    body: bytes | StreamedBody
    model: str
    via: Literal["api", "chat"]

    def to_upstream(self) -> UpstreamRequest:
        """Return what of it goes on."""
        length = self.body.length if isinstance(self.body, StreamedBody) else None
        target = self.target
        return UpstreamRequest(target.method, target.raw, self.headers, self.body, length)

    @property
    def is_free(self) -> bool:
        """Whether it counts nothing."""
        return self.route.endpoint.cls is EndpointClass.FREE

    @property
    def lists_models(self) -> bool:
        """Whether the answer is a list of models of which the plan includes only some."""
        is_list = self.route.endpoint.pattern == "/models"
        return is_list and bool(self.principal.usage_plan.models)


class CallReader:
    """Reads requests and refuses what this site or the caller's plan does not allow."""

    def __init__(self, policy: EndpointPolicy, max_body_bytes: int) -> None:
        self._policy = policy
        self._max_body_bytes = max_body_bytes

    async def read(
        self,
        headers: Headers,
        by_name: Mapping[bytes, bytes],
        receive: Receive,
        principal: Principal,
        target: Target,
    ) -> Call:
        """Check and read a request, before anything is counted. Raises GatewayError."""
        route = self._policy.route(target)
        length = declared_length(by_name, self._max_body_bytes)
        kept = request_headers(headers, by_name)
        call = Call(principal, route, target, kept, b"", "", "api")
        content_type = by_name.get(b"content-type", b"")
        takes_form = route.endpoint.takes_form and is_form(content_type)
        if (takes_form and self._reads_all(call)) or principal.usage_plan.models:
            _refuse_second_content_type(headers)
        if takes_form:
            await self._read_form(call, receive, headers, length)
        elif is_json(by_name) or self._reads_all(call):
            call.body = await read_body(receive, self._max_body_bytes)
            self._check(call, document_of(call.body))
        elif target.method not in WITH_BODY:
            call.body = await read_body(receive, self._max_body_bytes)
            self._check(call, {})
        else:
            call.body = StreamedBody(receive, self._max_body_bytes, length=length, headers=headers)
            self._check(call, {})
        return call

    def read_chat(self, principal: Principal, body: bytes) -> Call:
        """Check a chat completion that the site asks for. Raises GatewayError."""
        target = Target("POST", b"/chat/completions", b"")
        headers = [(b"content-type", b"application/json")]
        call = Call(principal, self._policy.route(target), target, headers, body, "", "chat")
        self._check(call, document_of(body))
        return call

    def _reads_all(self, call: Call) -> bool:
        """Whether the body is taken for JSON whatever its type says, as some upstreams do."""
        is_metered = call.route.endpoint.cls is EndpointClass.METERED
        return is_metered or bool(call.principal.usage_plan.models)

    def _check(self, call: Call, document: dict[str, Any], in_form: tuple[str, ...] = ()) -> None:
        """Check what a request names, and note its model."""
        plan = call.principal.usage_plan
        in_path = call.route.parameters.get("model")
        named = document.get("model")
        if plan.models:
            models = [*models_in_document(document), *models_in_query(call.target.query), *in_form]
            if in_path is not None:
                models.append(in_path)
            check_models(plan, call.route, models)
            named = named if isinstance(named, str) else (models[0] if models else "")
        elif not isinstance(named, str):
            elsewhere = [*in_form, *models_in_query(call.target.query), in_path or ""]
            named = elsewhere[0]
        call.model = model_to_record(named)
        if self._policy.stored_objects != "shared" and document:
            _refuse_stored_objects(call, document)

    async def _read_form(
        self, call: Call, receive: Receive, headers: Headers, length: int | None
    ) -> None:
        """Let a form pass as it comes, but hold it back until its model has been seen."""
        strict = bool(call.principal.usage_plan.models)
        models: list[str] = []

        async def examine(field: Field) -> None:
            models.append(field.value)
            if strict:
                if len(models) > 1:
                    message = "The form names its model twice."
                    raise GatewayError(400, "invalid_form", message, param="model", uncounted=True)
                self._check(call, {}, tuple(models))

        call.body = body = FormBody(
            receive,
            self._max_body_bytes,
            headers,
            length=length,
            wants=names_model,
            examine=examine,
            strict=strict,
        )
        # Without a plan that names models nothing depends on it: what comes first is enough.
        await body.hold(lambda: bool(models) or not strict)
        self._check(call, {}, tuple(models))


def _refuse_stored_objects(call: Call, document: dict[str, Any]) -> None:
    """Raise GatewayError 403 for a body that names what the upstream stores, or has it stored.

    What is stored belongs to nobody while stored objects are off, so nobody may read it.
    """
    # The background of an image is its color.
    makes_images = "/images/" in call.route.endpoint.pattern
    if not makes_images and any(document[x] for x in document if x.casefold() == "background"):
        raise stored_objects_off("A response in the background", "background")
    if isinstance(call.body, bytes) and may_name_stored_objects(call.body):
        for name in stored_names(document):
            what = f"A request that names a stored object ({name.param[:PARAM_LENGTH]})"
            raise stored_objects_off(what, name.param[:PARAM_LENGTH])


def _refuse_second_content_type(headers: Headers) -> None:
    """Raise GatewayError 400 for two content types: an upstream may go by the other one."""
    if sum(name == b"content-type" for name, _ in headers) > 1:
        message = "The request has two content types: send one."
        raise GatewayError(400, "invalid_request", message, uncounted=True)
