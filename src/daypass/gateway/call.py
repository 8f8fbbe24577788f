"""A request that has been read and checked, ready to be sent upstream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from daypass.domain.prices import Price
from daypass.gateway.bound import Bound
from daypass.gateway.endpoints import EndpointClass, Route
from daypass.gateway.json_edit import set_members
from daypass.gateway.owned_list import Listing
from daypass.gateway.principal import Principal
from daypass.gateway.request import StreamedBody, Target
from daypass.gateway.stream_usage import ask_for_usage
from daypass.http.types import Headers
from daypass.upstreams.base import UpstreamRequest
from daypass.upstreams.member import Member
from daypass.upstreams.routing import Candidate

_MAKE_OBJECTS = ("/responses", "/messages")
"""Metered endpoints whose answers may be, or may name, a stored object."""


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
    bound: Bound | None = None
    """The most that it uses; None if only requests are limited."""
    price: Price | None = None
    """None: the price of its model is unknown."""
    candidates: tuple[Candidate, ...] = ()
    """The upstreams to try, in turn. Each call that is relayed has one."""
    prices: Mapping[Candidate, Price | None] | None = None
    """The price at each of several candidates; None if there is only one."""
    member: Member | None = None
    """The upstream that it was sent to last."""
    is_measurable: bool = False
    """Whether it is a stream that can be asked for its usage."""
    stream_options: Any = None
    """The `stream_options` of its body, parsed."""
    hides_usage: bool = False
    """Whether only Daypass asked for the usage of its stream."""
    stores: bool = False
    """Whether it asks the upstream to store a chat completion."""
    listing: Listing | None = None
    """The parsed query, if the call lists stored objects and its answer must be filtered."""

    def to_upstream(self, candidate: Candidate) -> UpstreamRequest:
        """Return the request to send to one of the candidates, which then is `member`."""
        member, model = candidate
        self.member = member
        target, body = self.target, self.body
        if self.prices is not None:
            self.price = self.prices[candidate]
        if isinstance(body, StreamedBody):
            return UpstreamRequest(target.method, target.raw, self.headers, body, body.length)
        if model is not None:
            body = set_members(body, {"model": model})
        if self.is_measurable and member.measures_streams:
            asking = ask_for_usage(body, self.stream_options)
            self.hides_usage = asking is not None
            body = asking or body
        else:
            self.hides_usage = False
        return UpstreamRequest(target.method, target.raw, self.headers, body)

    def cap_output(self, bound: Bound) -> None:
        """Set the caps of the body to those of the bound, if they differ."""
        self.bound = bound
        # An empty body has no members, and asks for nothing.
        if bound.is_edited and bound.cap is not None and self.body and isinstance(self.body, bytes):
            self.body = set_members(self.body, dict.fromkeys(bound.cap_members, bound.cap))

    @property
    def is_free(self) -> bool:
        """Whether the call is not counted."""
        return self.route.endpoint.cls is EndpointClass.FREE

    @property
    def is_model_list(self) -> bool:
        """Whether the answer is a list of models."""
        return self.route.endpoint.pattern == "/models"

    @property
    def lists_models(self) -> bool:
        """Whether the answer is a list of models that must be filtered by the plan."""
        return self.is_model_list and self.principal.limits_models

    @property
    def makes_objects(self) -> bool:
        """Whether the answer may name stored objects that the account now owns."""
        endpoint = self.route.endpoint
        if endpoint.cls is EndpointClass.STORED:
            return not endpoint.pattern.endswith("/content")
        return self.stores or endpoint.pattern in _MAKE_OBJECTS
