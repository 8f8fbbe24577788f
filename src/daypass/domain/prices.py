"""Prices of models, and the cost of a request in micro-dollars. Pure integer arithmetic."""

from dataclasses import dataclass, field
from decimal import Decimal

from daypass.domain.usage import NO_UNITS, BilledUnits, TokenUsage

PICO = 1_000_000
"""Pico-dollars in a micro-dollar. A dollar per million tokens is PICO pico-dollars per token."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one model: pico-dollars (10⁻¹² US dollars) for one of each unit."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    audio_input: int = 0
    image_input: int = 0
    output: int = 0
    reasoning: int = 0
    audio_output: int = 0
    request: int = 0
    image: int = 0
    audio_second: int = 0
    character: int = 0
    tiers: tuple[tuple[int, "Price"], ...] = ()
    """Prices of requests with more input tokens than a threshold, the largest threshold first."""
    label: str = field(init=False, compare=False)
    """Dollars per million input, cached input and output tokens."""

    def __post_init__(self) -> None:
        prices = (self.input, self.cached_input, self.output)
        label = " ".join(f"{Decimal(x) / PICO:f}" for x in prices)
        object.__setattr__(self, "label", label)

    def cost(self, tokens: TokenUsage, units: BilledUnits = NO_UNITS) -> int:
        """Return the cost of one request in micro-dollars, rounded up."""
        price = self
        for above, price_of_tier in self.tiers:
            if tokens.input > above:
                price = price_of_tier
                break
        pico = (
            _cost_of(
                tokens.input,
                price.input,
                (tokens.cached_input, price.cached_input),
                (tokens.cache_write, price.cache_write),
                (tokens.audio_input, price.audio_input),
                (tokens.image_input, price.image_input),
            )
            + _cost_of(
                tokens.output,
                price.output,
                (tokens.reasoning, price.reasoning),
                (tokens.audio_output, price.audio_output),
            )
            + price.cost_of_units(units)
        )
        return -(-pico // PICO)

    def bound(self, input_tokens: int, output_tokens: int, units: BilledUnits = NO_UNITS) -> int:
        """Return the most that a request with at most these tokens costs, in micro-dollars."""
        prices = (self, *(price for _, price in self.tiers))
        most = max(
            max(x.input, x.cached_input, x.cache_write, x.audio_input, x.image_input) * input_tokens
            + max(x.output, x.reasoning, x.audio_output) * output_tokens
            + x.cost_of_units(units)
            for x in prices
        )
        return -(-most // PICO)

    def cost_of_units(self, units: BilledUnits) -> int:
        """Return the cost of a request without its tokens, in pico-dollars."""
        return (
            self.request
            + units.images * self.image
            + units.audio_seconds * self.audio_second
            + units.characters * self.character
        )


@dataclass(frozen=True, slots=True)
class HighestPrice:
    """The highest of several prices: a request may go to any of several upstreams."""

    prices: tuple[Price, ...]

    def bound(self, input_tokens: int, output_tokens: int, units: BilledUnits = NO_UNITS) -> int:
        """Return the most that a request with at most these tokens costs, in micro-dollars."""
        return max(x.bound(input_tokens, output_tokens, units) for x in self.prices)


def _cost_of(total: int, price: int, *parts: tuple[int, int]) -> int:
    """Return the cost of tokens of which some parts have a price of their own."""
    cost = 0
    for tokens, price_of_part in parts:
        if tokens:
            counted = min(tokens, total)
            cost += counted * price_of_part
            total -= counted
    return cost + total * price


FREE = Price()
