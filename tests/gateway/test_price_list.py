"""Published prices, and the operator's own before them."""

from datetime import UTC, datetime

import pytest

from daypass.domain.prices import PICO, Price
from daypass.domain.usage import TokenUsage
from daypass.gateway.price_list import REMEMBERED, PriceList

DAY = int(datetime(2026, 11, 28, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("gpt-4o", (2.5, 1.25, 10)),
        ("gpt-4o-mini", (0.15, 0.075, 0.6)),
        ("gpt-4.1", (2, 0.5, 8)),
        ("o3-mini", (1.1, 0.55, 4.4)),
        ("claude-3-5-haiku-20241022", (0.8, 0.08, 4)),
        ("text-embedding-3-small", (0.02, 0.02, 0)),
    ],
)
def test_published_prices(model: str, dollars: tuple[float, float, float]) -> None:
    price = PriceList([]).find(model, DAY)
    assert price is not None
    assert (price.input, price.cached_input, price.output) == tuple(
        round(x * PICO) for x in dollars
    )
    assert price.reasoning == price.output


def test_tiers_of_long_prompts() -> None:
    price = PriceList([]).find("gemini-2.5-pro", DAY)
    assert price is not None
    assert price.cost(TokenUsage(input=200_000)) == 200_000 * 5 // 4
    assert price.cost(TokenUsage(input=200_001)) == -(-200_001 * 5 // 2)
    assert price.bound(100, 10) >= price.cost(TokenUsage(input=100, output=10))


def test_the_first_of_the_operators_globs_that_matches_is_used() -> None:
    own = [("gpt-4o-mini", Price(input=1)), ("gpt-4o*", Price(input=2)), ("*:free", Price())]
    prices = PriceList(own)
    assert prices.find("gpt-4o-mini", DAY) == Price(input=1)
    assert prices.find("gpt-4o-2024-11-20", DAY) == Price(input=2)
    assert prices.find("llama:free", DAY) == Price()
    assert prices.find("GPT-4O", DAY) != Price(input=2), "globs match the case"
    assert prices.find("gpt-4.1", DAY) == PriceList([]).find("gpt-4.1", DAY)


@pytest.mark.parametrize("model", ["", "nobody-knows-it", "\0", "*", "[", "a" * 5000])
def test_an_unknown_model_has_no_price(model: str) -> None:
    assert PriceList([]).find(model, DAY, "https://api.openai.com/v1") is None


def test_made_up_names_do_not_fill_the_memory() -> None:
    prices = PriceList([("*", Price(input=1))])
    for i in range(REMEMBERED + 5):
        assert prices.find(f"m{i}", DAY) == Price(input=1)
    assert len(prices._known) <= REMEMBERED
