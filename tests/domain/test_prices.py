"""The cost of a request, which never exceeds the cost of its bound."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.domain.prices import PICO, Price
from daypass.domain.usage import BilledUnits, TokenUsage

TOKENS = st.integers(0, 300_000)
RATES = st.integers(0, 10**8)
PRICES = st.builds(Price, *[RATES] * 13)
TIERED = st.builds(
    lambda price, tiers: replace(price, tiers=tuple(tiers)),
    PRICES,
    st.lists(st.tuples(st.integers(1, 300_000), PRICES), max_size=3, unique_by=lambda x: x[0]).map(
        lambda x: sorted(x, key=lambda tier: -tier[0])
    ),
)
UNITS = st.builds(BilledUnits, *[st.integers(0, 1000)] * 3)


@given(TIERED, st.builds(TokenUsage, *[TOKENS] * 9), UNITS, TOKENS, TOKENS, UNITS)
@settings(max_examples=200, deadline=None)
def test_usage_within_the_bound_never_costs_more_than_the_bound(
    price: Price, used: TokenUsage, units: BilledUnits, input_more: int, output_more: int,
    units_more: BilledUnits,
) -> None:  # fmt: skip
    most = BilledUnits(*(a + b for a, b in zip(units, units_more, strict=True)))
    bound = price.bound(used.input + input_more, used.output + output_more, most)
    assert 0 <= price.cost(used, units) <= bound


def test_token_prices_differ_by_kind_and_the_total_is_rounded_up_once() -> None:
    price = Price(input=2_500_000, cached_input=1_250_000, output=10_000_000, reasoning=5_000_000)
    assert price.cost(TokenUsage(input=1000, cached_input=400, output=10, reasoning=4)) == (
        600 * 5 // 2 + 400 * 5 // 4 + 6 * 10 + 4 * 5
    )
    assert price.cost(TokenUsage(input=1)) == 3
    assert price.cost(TokenUsage(input=1, cached_input=1)) == 2
    assert price.cost(TokenUsage(input=2)) == 5
    assert price.cost(TokenUsage()) == 0
    assert Price(input=1).cost(TokenUsage(input=1)) == 1, "never free"
    assert Price(input=1).cost(TokenUsage(input=PICO + 1)) == 2


def test_cached_tokens_beyond_the_input_are_not_billed() -> None:
    assert Price(input=PICO, cached_input=PICO).cost(TokenUsage(input=5, cached_input=50)) == 5


def test_requests_images_audio_and_characters_are_priced() -> None:
    price = Price(request=PICO, image=40_000 * PICO, audio_second=100 * PICO, character=15 * PICO)
    assert price.cost(TokenUsage(), BilledUnits(2, 3, 4)) == 1 + 80_000 + 300 + 60


def test_the_price_tier_depends_on_the_input_size() -> None:
    price = Price(input=PICO, tiers=((200, Price(input=3 * PICO)), (100, Price(input=2 * PICO))))
    assert [price.cost(TokenUsage(input=x)) for x in (100, 101, 200, 201)] == [100, 202, 400, 603]
