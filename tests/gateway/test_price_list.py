"""Published prices, and the operator's own, which take precedence."""

from datetime import UTC, datetime

import pytest

from daypass.domain.prices import LABEL_LENGTH, PICO, Price, prices_in
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
def test_published_prices_are_found(model: str, dollars: tuple[float, float, float]) -> None:
    price = PriceList([]).find(model, DAY)
    assert price is not None
    assert (price.input, price.cached_input, price.output) == tuple(
        round(x * PICO) for x in dollars
    )
    assert price.reasoning == price.output


def test_prices_have_tiers_for_long_prompts() -> None:
    price = PriceList([]).find("gemini-2.5-pro", DAY)
    assert price is not None
    assert price.cost(TokenUsage(input=200_000)) == 200_000 * 5 // 4
    assert price.cost(TokenUsage(input=200_001)) == -(-200_001 * 5 // 2)
    assert price.bound(100, 10) >= price.cost(TokenUsage(input=100, output=10))


def test_the_first_matching_price_glob_is_used() -> None:
    own = [("gpt-4o-mini", Price(input=1)), ("gpt-4o*", Price(input=2)), ("*:free", Price())]
    prices = PriceList(own)
    assert prices.find("gpt-4o-mini", DAY) == Price(input=1)
    assert prices.find("gpt-4o-2024-11-20", DAY) == Price(input=2)
    assert prices.find("llama:free", DAY) == Price()
    assert prices.find("GPT-4O", DAY) != Price(input=2), "globs match the case"
    assert prices.find("gpt-4.1", DAY) == PriceList([]).find("gpt-4.1", DAY)


def test_prices_follow_the_time_of_day() -> None:
    prices = PriceList([])
    cheap, dear = (prices.find("deepseek-v4-pro", DAY + hour * 3600) for hour in (0, 2))
    assert cheap is not None
    assert dear is not None
    assert dear.output == 2 * cheap.output
    assert prices.find("deepseek-v4-pro", DAY + 30.5) == cheap


def test_output_that_may_be_images_costs_as_much_as_images() -> None:
    price = PriceList([]).find("gpt-image-1.5", DAY)
    assert price is not None
    assert price.cost(TokenUsage(output=1000)) == 32_000
    assert price.cost(TokenUsage(output=1000, image_output=900)) == 900 * 32 + 100 * 10
    assert price.bound(0, 1000) == 32_000


@pytest.mark.parametrize(
    ("model", "unpriced"),
    [
        ("gpt-4o", {"audio_input", "audio_output"}),
        ("gpt-4o-transcribe", {"audio_output"}),
        ("whisper-1", {"audio_output"}),
        ("gpt-audio", set()),
    ],
)
def test_audio_without_a_published_price_is_known_to_have_none(
    model: str, unpriced: set[str]
) -> None:
    price = PriceList([]).find(model, DAY, "https://api.openai.com/v1")
    assert price is not None
    assert price.unpriced == unpriced


def test_a_price_label_lists_every_price() -> None:
    price = Price(input=150_000, output=600_000, image=40_000 * PICO, audio_second=100 * PICO)
    assert price.label == "input=0.15 cached_input=0 output=0.6 per_image=0.04 per_minute=0.006"
    assert prices_in(price.label) == {
        "input": 0.15,
        "cached_input": 0,
        "output": 0.6,
        "per_image": 0.04,
        "per_minute": 0.006,
    }
    many = 10**18 + 1
    long = Price(many, many, output=many, request=many, image=many, character=many)
    assert len(long.label) <= LABEL_LENGTH


@pytest.mark.parametrize("model", ["", "nobody-knows-it", "\0", "*", "[", "a" * 5000])
def test_an_unknown_model_has_no_price(model: str) -> None:
    assert PriceList([]).find(model, DAY, "https://api.openai.com/v1") is None


def test_the_price_cache_is_bounded() -> None:
    prices = PriceList([("*", Price(input=1))])
    for i in range(REMEMBERED + 5):
        assert prices.find(f"m{i}", DAY) == Price(input=1)
    assert len(prices._known) <= REMEMBERED
