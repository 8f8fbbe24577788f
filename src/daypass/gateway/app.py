"""The request pipeline: authenticate → reserve → relay → settle."""

from collections.abc import Coroutine
from time import perf_counter, time
from typing import Literal

import structlog

from daypass.domain.times import Clock
from daypass.gateway import key_report
from daypass.gateway.authenticate import Authenticator
from daypass.gateway.call import Call
from daypass.gateway.call_reader import CallReader
from daypass.gateway.charge import Charge, record_refusal
from daypass.gateway.concurrency import HeldLease
from daypass.gateway.endpoint_policy import EndpointPolicy
from daypass.gateway.errors import GatewayError, TooManyOpenError, upstream_failed
from daypass.gateway.headers import response_headers
from daypass.gateway.merged_models import merge_models
from daypass.gateway.model_list import fetch_model_names, only_models_of
from daypass.gateway.open_requests import OpenRequests
from daypass.gateway.owned_objects import OwnedObjects
from daypass.gateway.ownership import Ownership
from daypass.gateway.principal import Principal, check_site_open
from daypass.gateway.request import (
    ClientDisconnected,
    cancel_on_disconnect,
    refuse_websocket,
    target_of,
)
from daypass.gateway.request_meter import RequestMeter
from daypass.gateway.response_writer import ResponseWriter
from daypass.gateway.stream_usage import UsageRemover
from daypass.gateway.usage_reader import UsageReader
from daypass.gateway.verdict import (
    failure_of,
    is_chargeable,
    is_refusal,
    may_have_been_served,
    reason_of,
    refused_operator,
    words_of,
)
from daypass.http.types import Application, Receive, Scope, Send
from daypass.observability.metrics import Metrics
from daypass.quota.ledger import Ledger, LedgerUnavailableError
from daypass.records.receipts import Receipt
from daypass.records.recorder import Recorder
from daypass.upstreams.base import UpstreamError, UpstreamRequest, UpstreamResponse
from daypass.upstreams.current import CurrentUpstreams
from daypass.upstreams.failover import open_in_turn
from daypass.upstreams.read_ahead import ReadAhead, read_ahead
from daypass.upstreams.refusals import LastRefusal

NOTHING_COUNTED = "Nothing was counted."
UPSTREAM_MAY_HAVE_WORKED = (
    "the upstream had received what was sent of it and may have done the work"
)

log = structlog.get_logger()


class Gateway:
    """An ASGI application that relays the requests a usage plan allows. One per process.

    Example::

        gateway = Gateway(
            authenticator, ledger, upstreams, recorder, metrics, max_body_bytes=2**20,
            endpoints=EndpointPolicy("off", ()), ownership=None, meter=meter,
            last_refusal=last_refusal, report=report, clock=time.time,
        )
        await gateway(scope, receive, send)
    """

    def __init__(
        self,
        authenticator: Authenticator,
        ledger: Ledger,
        upstreams: CurrentUpstreams,
        recorder: Recorder,
        metrics: Metrics,
        *,
        max_body_bytes: int,
        endpoints: EndpointPolicy,
        ownership: Ownership | None,
        meter: RequestMeter,
        last_refusal: LastRefusal,
        report: key_report.KeyReport,
        clock: Clock,
        denied_paths: tuple[str, ...] = (),
        open_per_key: int = 0,
        open_per_account: int = 0,
        fail_open: bool = False,
        give_back_timeouts: bool = False,
        uncounted: str = NOTHING_COUNTED,
    ) -> None:
        """Create a gateway.

        `uncounted` is the sentence added to errors for requests that were not counted.
        `ownership` is None unless stored objects are per account.
        """
        self._authenticator = authenticator
        self._ledger = ledger
        self._upstreams = upstreams
        self._recorder = recorder
        self._metrics = metrics
        self._last_refusal = last_refusal
        self._key_report = report
        self._fail_open = fail_open
        self._give_back_timeouts = give_back_timeouts
        self._uncounted = uncounted
        self._owned = OwnedObjects(ownership) if ownership is not None else None
        self._reader = CallReader(endpoints, self._owned, meter, upstreams, max_body_bytes)
        self._denied_paths = tuple(b"/" + x.strip("/").lower().encode() for x in denied_paths)
        self._open_requests = OpenRequests(open_per_key, open_per_account, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request to `/v1/*` that carries an API key."""
        answer = ResponseWriter(send, self._uncounted)
        try:
            target = target_of(scope, self._denied_paths)
            by_name = dict(scope["headers"])
            if b"upgrade" in by_name:
                refuse_websocket(scope["headers"])
            principal = await self._authenticator.by_headers(scope["headers"])
            if target.path in key_report.PATHS:
                await self._key_report.send(principal, target, answer)
            else:
                check_site_open(principal)
                with self._open_requests.one_of(principal):
                    call = await self._reader.read(
                        scope["headers"], by_name, receive, principal, target
                    )
                    await self._serve(call, receive, answer)
        except TooManyOpenError as error:
            self._record(error, principal, "api", answer.request_id)
            await answer.fail(error)
        except Exception as error:
            await answer.fail(error)

    def chat(self, api_key_id: str, body: bytes) -> Application:
        """Return an ASGI application that serves one chat completion for a key's owner.

        The caller must have checked that the session owns the key.
        """

        async def application(_scope: Scope, receive: Receive, send: Send) -> None:
            answer = ResponseWriter(send, self._uncounted)
            try:
                principal = await self._authenticator.by_id(api_key_id)
                check_site_open(principal)
                call = await self._reader.read_chat(principal, body)
                with self._open_requests.one_of(principal):
                    await self._serve(call, receive, answer)
            except TooManyOpenError as error:
                self._record(error, principal, "chat", answer.request_id)
                await answer.fail(error)
            except Exception as error:
                await answer.fail(error)

        return application

    async def list_models(self) -> list[str]:
        """Return the ids of the upstreams' models. Raises GatewayError 502 or 504."""
        return await fetch_model_names(self._upstreams, self._last_refusal)

    def _serve(
        self, call: Call, receive: Receive, answer: ResponseWriter
    ) -> Coroutine[None, None, None]:
        """Relay a call, within its plan's limit on concurrent requests if there is one."""
        if call.principal.usage_plan.max_concurrent_requests is None or call.is_free:
            return self._relay(call, receive, answer)
        return self._relay_leased(call, receive, answer)

    async def _relay_leased(self, call: Call, receive: Receive, answer: ResponseWriter) -> None:
        request_id, fail_open = answer.request_id, self._fail_open
        try:
            async with HeldLease(self._ledger, call.principal, request_id, fail_open=fail_open):
                await self._relay(call, receive, answer)
        except TooManyOpenError as error:
            error.model = call.model
            raise

    def _record(
        self,
        error: TooManyOpenError,
        principal: Principal,
        via: Literal["api", "chat"],
        request_id: str,
    ) -> None:
        """Record the refusal of a request because too many are open."""
        at_ms, key = int(error.at * 1000), principal.api_key_id
        receipt = Receipt(
            request_id, at_ms, key, error.model, via, error.status, "refused", error.reason, None
        )
        record_refusal(self._recorder, self._metrics, principal, receipt)

    async def _relay(self, call: Call, receive: Receive, answer: ResponseWriter) -> None:
        """Reserve, relay and settle. The unit is given back only if the upstream did not serve."""
        charge = Charge(self._ledger, self._recorder, self._metrics, call)
        if not call.is_free:
            await self._take(call, charge, answer)
        usage = UsageReader()
        self._metrics.open_requests += 1
        response = None
        try:
            with cancel_on_disconnect(receive, call.body):
                response = await self._open(call, charge, answer)
                remover = UsageRemover() if call.hides_usage else None
                if not await answer.relay(response, usage, remover):
                    charge.reason = "upstream_broke_off"
                    self._fail(call, answer, response.status, charge.reason)
        except GatewayError as error:
            charge.explain(error)
            answer.status = error.status
            raise
        except ClientDisconnected:
            charge.reason = "caller_left"
            raise
        finally:
            if response is not None:
                response.close()
            self._metrics.open_requests -= 1
            charge.close(answer.request_id, answer.status, usage)

    async def _take(self, call: Call, charge: Charge, answer: ResponseWriter) -> None:
        try:
            await charge.take(answer.request_id)
        except LedgerUnavailableError as error:
            if not self._fail_open:
                raise
            log.warning("relayed_uncounted", request_id=answer.request_id, reason=str(error))
            if call.bound is not None:
                call.cap_output(call.bound)
        answer.add(charge.headers)

    async def _open(self, call: Call, charge: Charge, answer: ResponseWriter) -> UpstreamResponse:
        """Send the call upstream.

        If it is not served, give the units back or keep them, and raise GatewayError.
        """
        began = perf_counter()
        try:
            if len(call.candidates) == 1 and not call.is_model_list:
                (only,) = call.candidates
                response = await only.member.upstream.open(call.to_upstream(only))
            else:
                response = await self._open_any(call, answer)
        except UpstreamError as error:
            failure = failure_of(error, call.body)
            reason = failure.code if isinstance(failure, GatewayError) else "caller_left"
            if reason.startswith("upstream_"):  # the client's body is not at fault
                self._fail(call, answer, None, reason, words_of(error))
            timeouts = self._give_back_timeouts
            if may_have_been_served(error, call.body, give_back_timeouts=timeouts):
                charge.keep(reason, UPSTREAM_MAY_HAVE_WORKED)
            else:
                await charge.give_back(reason)
                answer.replace(charge.headers)
            raise failure from error
        self._metrics.first_byte.add(perf_counter() - began)
        charge.upstream_status = response.status
        try:
            if is_refusal(response):
                response = await read_ahead(response)
            if not is_chargeable(response):
                await self._refuse(call, charge, answer, response)
            elif call.member is not None:
                call.member.succeed()
            if call.lists_models and 200 <= response.status < 300:
                response = await only_models_of(call.principal, response)
            if self._owned is not None:
                response = await self._owned.guard(call, response)
        except BaseException:
            response.close()
            raise
        answer.add(response_headers(response.headers))
        return response

    async def _refuse(
        self, call: Call, charge: Charge, answer: ResponseWriter, response: UpstreamResponse
    ) -> None:
        """Give back the units of a call that the upstream refused.

        Raises GatewayError if the client gets another error than the upstream's.
        """
        reason = f"upstream_{response.status}"
        self._fail(call, answer, response.status, reason)
        await charge.give_back(reason)
        answer.replace(charge.headers)
        if isinstance(response, ReadAhead):
            self._last_refusal.note(response.status, response.beginning)
            raise refused_operator()
        if charge.counts_after_all:
            raise upstream_failed(response.status)

    async def _open_any(self, call: Call, answer: ResponseWriter) -> UpstreamResponse:
        """Send the call to its upstreams in turn. Raises UpstreamError and GatewayError."""
        if call.is_model_list and not self._upstreams.only and call.target.method == "GET":
            headers = [x for x in call.headers if x[0].startswith(b"anthropic-")]
            request = UpstreamRequest("GET", call.target.raw, headers, b"")
            return await merge_models(self._upstreams.members, request, self._last_refusal)

        def passed_over(status: int | None, error: UpstreamError | None) -> None:
            failure = f"upstream_{status}" if error is None else reason_of(error)
            self._fail(call, answer, status, failure, words_of(error))

        call_s = self._upstreams.call_timeout_s
        return await open_in_turn(call.candidates, call.to_upstream, passed_over, call_s)

    def _fail(
        self,
        call: Call,
        answer: ResponseWriter,
        status: int | None,
        failure: str,
        reason: str = "",
    ) -> None:
        """Note and log an upstream failure. `status` is None if the upstream did not answer."""
        self._metrics.fail_upstream(failure)
        if call.member is not None:
            call.member.fail(failure, time())
        log.warning(
            "upstream_failed",
            request_id=answer.request_id,
            api_key_id=call.principal.api_key_id,
            upstream=call.member.name if call.member is not None else None,
            status=status,
            failure=failure,
            reason=reason,
        )
