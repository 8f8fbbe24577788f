"""Prices of models, and the cost of a request in micro-dollars. Pure integer arithmetic."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from daypass.domain.usage import NO_UNITS, BilledUnits, TokenUsage

PICO = 1_000_000
"""Pico-dollars in a micro-dollar. A dollar per million tokens is PICO pico-dollars per token."""

LABEL_LENGTH = 100
_ALWAYS = ("input", "cached_input", "output")
_SHOWN = Decimal("0.000000001")
"""Labels have dollars with nine decimals."""


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
    image_output: int = 0
    request: int = 0
    image: int = 0
    audio_second: int = 0
    character: int = 0
    unpriced: frozenset[Literal["audio_input", "audio_output"]] = frozenset()
    """Kinds of tokens that are billed at a price that is not known, if the model takes them."""
    tiers: tuple[tuple[int, "Price"], ...] = ()
    """Prices of requests with more input tokens than a threshold, the largest threshold first."""
    label: str = field(init=False, compare=False)
    """The price in text, as the usage records keep it: US dollars, by the names of `[[prices]]`."""

    def __post_init__(self) -> None:
        label = ""
        for name, pico, number in (
            ("input", self.input, 1_000_000),
            ("cached_input", self.cached_input, 1_000_000),
            ("output", self.output, 1_000_000),
            ("per_request", self.request, 1),
            ("per_image", self.image, 1),
            ("per_minute", self.audio_second, 60),
            ("per_million_characters", self.character, 1_000_000),
        ):
            if pico or name in _ALWAYS:
                dollars = (Decimal(pico * number) / PICO**2).quantize(_SHOWN).normalize()
                longer = f"{label} {name}={dollars:f}".lstrip()
                label = longer if len(longer) <= LABEL_LENGTH else label
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
                # Without a report of image tokens, any of them may be some.
                price.output if tokens.image_output else max(price.output, price.image_output),
                (tokens.reasoning, price.reasoning),
                (tokens.audio_output, price.audio_output),
                (tokens.image_output, price.image_output),
            )
            + price.cost_of_units(units)
        )
        return -(-pico // PICO)

    def bound(self, input_tokens: int, output_tokens: int, units: BilledUnits = NO_UNITS) -> int:
        """Return the most that a request with at most these tokens costs, in micro-dollars."""
        prices = (self, *(price for _, price in self.tiers))
        most = max(
            max(x.input, x.cached_input, x.cache_write, x.audio_input, x.image_input) * input_tokens
            + max(x.output, x.reasoning, x.audio_output, x.image_output) * output_tokens
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


def prices_in(label: str) -> dict[str, float]:
    """Return the prices in a label, in US dollars, by the names of `[[prices]]`."""
    parts = (part.split("=", 1) for part in label.split() if "=" in part)
    return {name: float(dollars) for name, dollars in parts}


FREE = Price()
