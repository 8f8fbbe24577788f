"""The prices of models: the operator's own, else the published ones from `genai-prices`."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ModelPrice, TieredPrices

from daypass.domain.prices import Price

REMEMBERED = 1_000
PICO_PER_DOLLAR = 10**12
OPENAI = "openai"


class PriceList:
    """Finds the price of a model by its name. Works offline."""

    def __init__(self, own: Sequence[tuple[str, Price]]) -> None:
        """`own` are names or globs with their prices; the first that matches is used."""
        self._own = tuple(own)
        self._known: dict[tuple[str, int, str | None], Price | None] = {}

    def find(self, model: str, at: float, upstream_url: str | None = None) -> Price | None:
        """Return the price of an upstream's model at a time (Unix time, seconds), or None.

        Some prices depend on the time of day, to the minute. `upstream_url` is the upstream's base
        URL.
        """
        minute = int(at) // 60 * 60
        key = (model, minute, upstream_url)
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            price = self._known[key] = self._look_up(model, minute, upstream_url)
            return price

    def _look_up(self, model: str, minute: int, upstream_url: str | None) -> Price | None:
        for pattern, price in self._own:
            if fnmatchcase(model, pattern):
                return price
        return _published(get_snapshot(), model, upstream_url, minute) if model else None


def _published(
    snapshot: DataSnapshot, model: str, upstream_url: str | None, minute: int
) -> Price | None:
    """Return the published price: the upstream's own, else that of the model's maker.

    The package does not know OpenAI as the maker of all its models, such as those for embeddings.
    """
    providers = ((None, upstream_url), (None, None), (OPENAI, None))
    for provider, url in providers if upstream_url else providers[1:]:
        try:
            _, found = snapshot.find_provider_model(model, None, provider, url)
        except LookupError:
            continue
        return _to_price(found.get_prices(datetime.fromtimestamp(minute, UTC)))
    return None


def _to_price(prices: ModelPrice) -> Price:
    starts = {
        tier.start
        for value in vars(prices).values()
        if isinstance(value, TieredPrices)
        for tier in value.tiers
    }
    tiers = tuple((start, _flat(prices, start)) for start in sorted(starts, reverse=True))
    return replace(_flat(prices, 0), tiers=tiers)


def _flat(prices: ModelPrice, above: int) -> Price:
    """Return the prices of requests with more than `above` input tokens."""

    def rate(name: str, default: int, per: int = 1_000_000) -> int:
        value = getattr(prices, name, None)
        if isinstance(value, TieredPrices):
            value = max(
                ((tier.start, tier.price) for tier in value.tiers if tier.start <= above and above),
                default=(0, value.base),
            )[1]
        return default if value is None else math.ceil(Decimal(value) * PICO_PER_DOLLAR / per)

    text, answer = rate("input_mtok", 0), rate("output_mtok", 0)
    second = max(rate("audio_hours", 0, 3600), rate("input_audio_hours", 0, 3600))
    return Price(
        input=text,
        cached_input=rate("cache_read_mtok", text),
        cache_write=max(rate("cache_write_mtok", text), rate("cache_write_1h_mtok", 0)),
        audio_input=rate("input_audio_mtok", text),
        image_input=rate("input_image_mtok", text),
        output=answer,
        reasoning=rate("output_reasoning_mtok", answer),
        audio_output=rate("output_audio_mtok", answer),
        image_output=max(rate("output_image_mtok", answer), rate("output_video_mtok", 0)),
        request=rate("requests_kcount", 0, 1_000),
        audio_second=second,
        character=rate("input_mchars", 0),
        unpriced=_unpriced(prices, audio_second=second),
    )


def _unpriced(
    prices: ModelPrice, *, audio_second: int
) -> frozenset[Literal["audio_input", "audio_output"]]:
    """Return the kinds of tokens that have no published price: audio costs many times as text."""
    kinds: list[Literal["audio_input", "audio_output"]] = []
    if getattr(prices, "input_audio_mtok", None) is None and not audio_second:
        kinds.append("audio_input")
    if getattr(prices, "output_audio_mtok", None) is None:
        kinds.append("audio_output")
    return frozenset(kinds)
