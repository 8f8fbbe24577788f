"""Prepares a call to be measured: its prices, and the most that it can use."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from daypass.domain.prices import FREE, HighestPrice, Price
from daypass.domain.times import Clock
from daypass.gateway.bound import Bound, bound_of_document
from daypass.gateway.call import Call
from daypass.gateway.endpoint_policy import turned_off
from daypass.gateway.endpoints import EndpointClass
from daypass.gateway.errors import GatewayError
from daypass.gateway.form_bound import bound_of_form, is_transcription, unknown_length
from daypass.gateway.price_list import PriceList
from daypass.gateway.request import StreamedBody
from daypass.gateway.unpriced import Unpriced, unpriced_in

_STREAM_WITH_OPTIONS = "/completions"
"""The end of the paths of chat and plain completions, which take `stream_options`."""


class RequestMeter:
    """Bounds calls before they are sent."""

    def __init__(
        self,
        prices: PriceList,
        clock: Clock,
        *,
        refuses_unknown_prices: bool,
    ) -> None:
        self._prices = prices
        self._clock = clock
        self._refuses_unknown_prices = refuses_unknown_prices

    def prepare(self, call: Call, document: Mapping[str, Any], max_body_bytes: int) -> None:
        """Set the bound and the price of a call, and note whether its stream can report usage.

        `document` is the parsed JSON body; empty for others. Raises GatewayError: 400 for a cap
        that is not a number, 403 if tokens or cost are limited and nothing bounds what the call
        uses, or the price of its model is unknown.
        """
        if call.is_free:
            return
        principal = call.principal
        if len(call.candidates) == 1:
            member, model = call.candidates[0]
            name = model or call.model
            call.price = self._prices.find(name, self._clock(), member.base_url)
        else:
            self._set_prices(call, document)
        is_limited = principal.limits_tokens or principal.limits_cost
        if is_limited:
            self._check(call, document)
        most_output = principal.usage_plan.max_output_tokens
        if is_limited or most_output is not None:
            bound = _bound_of(call, document, most_output, max_body_bytes, is_limited=is_limited)
            call.bound = replace(bound, price=_highest_price(call))
        if document.get("stream") is True and isinstance(call.body, bytes):
            call.is_measurable = call.route.endpoint.pattern.endswith(_STREAM_WITH_OPTIONS)
            call.stream_options = document.get("stream_options")

    def _set_prices(self, call: Call, document: Mapping[str, Any]) -> None:
        """Set the price at each of several candidates.

        Leave out those that would be refused for their price.
        """
        now = self._clock()
        prices = {
            x: self._prices.find(x.model or call.model, now, x.member.base_url)
            for x in call.candidates
        }
        if self._needs_price(call):
            priced = tuple(
                candidate
                for candidate, price in prices.items()
                if price is not None and _unpriced_in(call, document, price) is None
            )
            call.candidates = priced or call.candidates
        call.price = prices[call.candidates[0]]
        call.prices = prices

    def _needs_price(self, call: Call) -> bool:
        is_metered = call.route.endpoint.cls is EndpointClass.METERED
        return is_metered and call.principal.limits_cost and self._refuses_unknown_prices

    def _check(self, call: Call, document: Mapping[str, Any]) -> None:
        endpoint = call.route.endpoint
        if endpoint.billed_later or endpoint.cls is EndpointClass.UNKNOWN:
            raise turned_off(
                f"{call.target.method} {call.target.path.decode()} is turned off for this API "
                "key: its usage plan limits tokens or cost, and nothing bounds what it uses."
            )
        if is_transcription(endpoint.pattern) and isinstance(call.body, bytes):
            raise unknown_length()
        if not self._needs_price(call):
            return
        if call.price is None:
            what = f"the model {call.model or '(none)'}"
            advice = "Use another model, or ask the operator to add it to [[prices]]."
            raise _price_unknown("model", what, advice)
        found = _unpriced_in(call, document, call.price)
        if found is not None:
            raise _price_unknown(found.param, found.what, "Leave it out.")


def _unpriced_in(call: Call, document: Mapping[str, Any], price: Price) -> Unpriced | None:
    return unpriced_in(call.route.endpoint.pattern, call.body, document, price)


def _highest_price(call: Call) -> Price | HighestPrice:
    """Return the price that bounds the call at each of its candidates."""
    prices = call.prices
    if prices is None:
        return call.price or FREE
    return HighestPrice(tuple(prices[x] or FREE for x in call.candidates))


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
        pattern,
        call.body,
        document,
        [x.model or call.model for x in call.candidates],
        most_output,
        is_limited=is_limited,
    )
