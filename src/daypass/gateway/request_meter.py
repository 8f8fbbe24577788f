"""Prepares a call to be measured: its price, the most it can use, and the usage of its stream."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from daypass.domain.prices import FREE
from daypass.domain.times import Clock
from daypass.gateway.bound import Bound, bound_of_document, bound_of_form
from daypass.gateway.call import Call
from daypass.gateway.endpoint_policy import turned_off
from daypass.gateway.endpoints import EndpointClass
from daypass.gateway.errors import GatewayError
from daypass.gateway.price_list import PriceList
from daypass.gateway.request import StreamedBody
from daypass.gateway.stream_usage import ask_for_usage
from daypass.gateway.unpriced import unpriced_in

_STREAM_WITH_OPTIONS = "/completions"
"""The end of the paths of chat and plain completions, which take `stream_options`."""


class RequestMeter:
    """Bounds calls before they are sent, and asks for the usage of their streams."""

    def __init__(
        self,
        prices: PriceList,
        clock: Clock,
        *,
        refuses_unknown_prices: bool,
        measures_streams: bool,
    ) -> None:
        self._prices = prices
        self._clock = clock
        self._refuses_unknown_prices = refuses_unknown_prices
        self._measures_streams = measures_streams

    def prepare(self, call: Call, document: Mapping[str, Any], max_body_bytes: int) -> None:
        """Set the bound of a call, and make its stream report usage.

        `document` is the parsed JSON body; empty for others. Raises GatewayError: 400 for a cap
        that is not a number, 403 if tokens or cost are limited and nothing bounds what the call
        uses, or the price of its model is unknown.
        """
        if call.is_free:
            return
        call.price = self._prices.find(call.model, self._clock())
        principal = call.principal
        is_limited = principal.limits_tokens or principal.limits_cost
        if is_limited:
            self._check(call, document)
        most_output = principal.usage_plan.max_output_tokens
        if is_limited or most_output is not None:
            bound = _bound_of(call, document, most_output, max_body_bytes, is_limited=is_limited)
            call.bound = replace(bound, price=call.price or FREE)
        if self._measures_streams and document.get("stream") is True:
            self._measure_stream(call, document)

    def _check(self, call: Call, document: Mapping[str, Any]) -> None:
        endpoint = call.route.endpoint
        if endpoint.billed_later or endpoint.cls is EndpointClass.UNKNOWN:
            raise turned_off(
                f"{call.target.method} {call.target.path.decode()} is turned off for this API "
                "key: its usage plan limits tokens or cost, and nothing bounds what it uses."
            )
        if endpoint.cls is not EndpointClass.METERED or not call.principal.limits_cost:
            return
        if not self._refuses_unknown_prices:
            return
        if call.price is None:
            what = f"the model {call.model or '(none)'}"
            advice = "Use another model, or ask the operator to add it to [[prices]]."
            raise _price_unknown("model", what, advice)
        found = unpriced_in(endpoint.pattern, call.body, document, call.price)
        if found is not None:
            raise _price_unknown(found.param, found.what, "Leave it out.")

    @staticmethod
    def _measure_stream(call: Call, document: Mapping[str, Any]) -> None:
        if isinstance(call.body, bytes) and call.route.endpoint.pattern.endswith(
            _STREAM_WITH_OPTIONS
        ):
            asking = ask_for_usage(call.body, document)
            if asking is not None:
                call.body = asking
                call.hides_usage = True


def _price_unknown(param: str, what: str, advice: str) -> GatewayError:
    message = f"The price of {what} is unknown, and cost is limited here. {advice}"
    retry = [(b"x-should-retry", b"false")]
    return GatewayError(403, "price_unknown", message, param=param, headers=retry, uncounted=True)


def _bound_of(
    call: Call,
    document: Mapping[str, Any],
    most_output: int | None,
    max_body_bytes: int,
    *,
    is_limited: bool,
) -> Bound:
    pattern = call.route.endpoint.pattern
    if call.route.endpoint.cls is not EndpointClass.METERED:
        return Bound(0)
    if isinstance(call.body, StreamedBody):
        length = max_body_bytes if call.body.length is None else call.body.length
        return bound_of_form(pattern, length)
    return bound_of_document(
        pattern, call.body, document, call.model, most_output, is_limited=is_limited
    )
