"""The way of a request: authenticate → reserve → relay → settle."""

from dataclasses import dataclass, replace
from typing import Literal

import orjson
import structlog

from daypass.gateway.answer import Answer, serve
from daypass.gateway.asgi import Application, Headers, Receive, Scope, Send
from daypass.gateway.authenticate import Authenticator, Principal
from daypass.gateway.errors import (
    GatewayError,
    iso_time,
    over_limit,
    rate_limit_headers,
    server_error,
)
from daypass.gateway.relay import UsageReader, request_headers, response_headers
from daypass.gateway.request import (
    StreamedBody,
    Target,
    check_length,
    is_json,
    model_of,
    read_body,
    target_of,
    while_caller_waits,
)
from daypass.gateway.upstream import (
    Upstream,
    UpstreamBrokeError,
    UpstreamError,
    UpstreamRequest,
    UpstreamResponse,
    UpstreamTimeoutError,
)
from daypass.quota.ledger import BucketState, Ledger, LedgerUnavailableError, Refusal, Reservation
from daypass.records.usage import UsageRecorder, UsageRow, Use

DAY_S = 86_400

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request on its way to the upstream."""

    principal: Principal
    target: Target
    headers: Headers
    body: bytes | StreamedBody
    model: str
    via: Literal["api", "chat"]


class Gateway:
    """Relays what a plan allows. One instance serves a whole process."""

    def __init__(
        self,
        authenticator: Authenticator,
        ledger: Ledger,
        upstream: Upstream,
        usage: UsageRecorder,
        *,
        max_body_bytes: int,
        denied_paths: tuple[str, ...] = (),
    ) -> None:
        self._authenticator = authenticator
        self._ledger = ledger
        self._upstream = upstream
        self._usage = usage
        self._max_body_bytes = max_body_bytes
        self._denied_paths = tuple(b"/" + path.strip("/").encode() for path in denied_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request to `/v1/*`, which carries an API key."""

        async def call(answer: Answer) -> None:
            target = target_of(scope, self._denied_paths)
            principal = await self._authenticator.by_headers(scope["headers"])
            if target.path == b"/key":
                await self._describe_key(principal, target, answer)
            else:
                asked = await self._read(scope, receive, principal, target)
                await self._relay(asked, receive, answer)

        await serve(call, send)

    def chat(self, api_key_id: str, body: bytes) -> Application:
        """An ASGI application that serves one chat completion on behalf of a key's owner.

        The caller must have checked that the session owns the key.
        """

        async def application(_scope: Scope, receive: Receive, send: Send) -> None:
            async def call(answer: Answer) -> None:
                principal = await self._authenticator.by_id(api_key_id)
                target = Target("POST", b"/chat/completions", b"")
                headers = [(b"content-type", b"application/json")]
                model = _check_model(principal, model_of(body))
                asked = Call(principal, target, headers, body, model, "chat")
                await self._relay(asked, receive, answer)

            await serve(call, send)

        return application

    async def list_models(self) -> list[str]:
        """Ids of the upstream's models. Raises GatewayError 502 or 504."""
        try:
            response = await self._upstream.open(UpstreamRequest("GET", "/models", [], b""))
            body = b"".join([chunk async for chunk in response.chunks()])
            response.close()
            return [str(model["id"]) for model in orjson.loads(body)["data"]]
        except UpstreamError as error:
            raise _upstream_failure(error, b"") from error
        except (UpstreamBrokeError, ValueError, KeyError, TypeError):
            message = "The upstream does not list its models."
            raise server_error(502, "upstream_misconfigured", message) from None

    async def _read(
        self, scope: Scope, receive: Receive, principal: Principal, target: Target
    ) -> Call:
        """Check and read what was asked, before anything is counted. Raises GatewayError."""
        check_length(scope, self._max_body_bytes)
        headers = request_headers(scope["headers"])
        body: bytes | StreamedBody
        if is_json(scope):
            body = await read_body(receive, self._max_body_bytes)
            model = model_of(body)
        elif target.method in ("GET", "HEAD", "DELETE"):
            body, model = await read_body(receive, self._max_body_bytes), None
        else:
            body, model = StreamedBody(receive, self._max_body_bytes), None
        if target.method in ("POST", "PUT", "PATCH"):
            model = _check_model(principal, model)
        return Call(principal, target, headers, body, model or "", "api")

    async def _relay(self, call: Call, receive: Receive, answer: Answer) -> None:
        """Reserve, relay, settle. The unit stays used unless the upstream did not serve."""
        reservation = None if call.target.is_free else await self._reserve(call)
        if reservation is not None:
            answer.add(rate_limit_headers(reservation.buckets, reservation.at))
        usage = UsageReader()
        try:
            async with while_caller_waits(receive, call.body):
                response = await self._open(call)
                try:
                    if not _was_served(response):
                        await self._give_back(call, reservation, answer)
                        reservation = None
                        _refuse_misconfigured(response)
                    answer.add(response_headers(response.headers))
                    await answer.relay(response, usage)
                finally:
                    response.close()
        except UpstreamError as error:
            await self._give_back(call, reservation, answer)
            reservation = None
            raise _upstream_failure(error, call.body) from error
        finally:
            if reservation is not None:
                self._settle(call, reservation, usage)

    async def _reserve(self, call: Call) -> Reservation:
        outcome = await self._ledger.reserve(call.principal.claims)
        if isinstance(outcome, Refusal):
            self._record(call, Use(refused=1), outcome.at)
            raise over_limit(outcome, call.principal.usage_plan.id)
        self._record(call, Use(requests=1), outcome.at)
        return outcome

    async def _open(self, call: Call) -> UpstreamResponse:
        return await self._upstream.open(
            UpstreamRequest(call.target.method, str(call.target), call.headers, call.body)
        )

    async def _give_back(self, call: Call, reservation: Reservation | None, answer: Answer) -> None:
        """Release a reservation, and say so in the answer's headers."""
        if reservation is None:
            return
        try:
            released = await self._ledger.release(reservation)
        except LedgerUnavailableError:
            log.warning("unit_not_given_back")
            return
        if released:
            self._record(call, Use(requests=-1), reservation.at)
            before = [replace(x, used=max(0, x.used - 1)) for x in reservation.buckets]
            answer.replace(rate_limit_headers(before, reservation.at))

    def _settle(self, call: Call, reservation: Reservation, usage: UsageReader) -> None:
        self._ledger.settle(reservation)
        input_tokens, output_tokens = usage.tokens()
        use = Use(input_tokens=input_tokens, output_tokens=output_tokens)
        self._record(call, use, reservation.at)

    def _record(self, call: Call, use: Use, at: float) -> None:
        day = int(at) // DAY_S * DAY_S
        model = "" if use.refused else call.model
        row = UsageRow(day, call.principal.api_key_id, model, call.via)
        self._usage.add(row, use, at)

    async def _describe_key(self, principal: Principal, target: Target, answer: Answer) -> None:
        if target.method not in ("GET", "HEAD"):
            message = "Use GET: a key can only be asked about itself here."
            raise GatewayError(405, "method_not_allowed", message, headers=[(b"allow", b"GET")])
        plan = principal.usage_plan
        buckets = await self._ledger.peek(principal.claims)
        document = {
            "object": "api_key",
            "id": principal.api_key_id,
            "usage_plan": {"id": plan.id, "name": plan.name},
            "limits": [_describe(state) for state in buckets],
        }
        await answer.json(200, orjson.dumps(document))


def _describe(state: BucketState) -> dict[str, object]:
    limit = state.claim.limit
    return {
        "subject": state.claim.subject.kind,
        "measure": limit.measure.value,
        "window": limit.window.value,
        "limit": limit.amount,
        "used": state.used,
        "remaining": state.remaining,
        "resets_at": iso_time(state.resets_at),
    }


def _check_model(principal: Principal, model: str | None) -> str:
    plan = principal.usage_plan
    if plan.allows(model):
        return model or ""
    allowed = ", ".join(sorted(plan.models))
    asked = f"the model {model}" if model else "a request that names no model in a JSON body"
    message = f"Your usage plan {plan.id} does not include {asked}. It includes: {allowed}."
    raise GatewayError(404, "model_not_found", message, param="model")


def _was_served(response: UpstreamResponse) -> bool:
    """Whether the upstream did the work: its own limit, a refusal of us or a fault is none."""
    status = response.status
    return status not in (401, 403, 429) and status < 500 and not 300 <= status < 400


def _refuse_misconfigured(response: UpstreamResponse) -> None:
    """Raise 502 when the upstream refuses the operator's key: the caller's is fine."""
    if response.status in (401, 403) or 300 <= response.status < 400:
        log.error("upstream_misconfigured", status=response.status)
        message = (
            "The upstream refused this gateway's own key or address. Your key is fine and "
            "nothing was counted. The operator of this site has to look at it."
        )
        raise server_error(502, "upstream_misconfigured", message)


def _upstream_failure(error: UpstreamError, body: bytes | StreamedBody) -> Exception:
    if isinstance(body, StreamedBody) and body.is_incomplete:
        return body.failure()
    log.warning("upstream_failed", reason=str(error) or type(error).__name__)
    if isinstance(error, UpstreamTimeoutError):
        message = "The upstream did not answer in time. Nothing was counted. Please try again."
        return server_error(504, "upstream_timeout", message)
    message = "The upstream cannot be reached. Nothing was counted. Please try again."
    return server_error(502, "upstream_unreachable", message)
