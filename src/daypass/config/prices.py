"""The settings of prices: `[[prices]]` in `daypass.toml`."""

import math
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from daypass.domain.prices import PICO, Price

Dollars = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=9)]


class PriceSettings(BaseModel):
    """One `[[prices]]` table. Prices are dollars: per million tokens, per unit or per minute."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1, max_length=100)
    """A name or a glob, such as `gpt-4o*`."""
    input: Dollars = Decimal(0)
    cached_input: Dollars | None = None
    output: Dollars = Decimal(0)
    per_request: Dollars = Decimal(0)
    per_image: Dollars = Decimal(0)
    per_minute: Dollars = Decimal(0)
    per_million_characters: Dollars = Decimal(0)

    def to_price(self) -> Price:
        """Return the price. Without one of their own, cached tokens cost as much as others."""
        text, answer = _pico(self.input), _pico(self.output)
        return Price(
            input=text,
            cached_input=text if self.cached_input is None else _pico(self.cached_input),
            cache_write=text,
            audio_input=text,
            image_input=text,
            output=answer,
            reasoning=answer,
            audio_output=answer,
            image_output=answer,
            request=_pico(self.per_request * 1_000_000),
            image=_pico(self.per_image * 1_000_000),
            audio_second=_pico(self.per_minute * 1_000_000 / 60),
            character=_pico(self.per_million_characters),
        )


def _pico(dollars_per_million: Decimal) -> int:
    """Convert dollars per million units to pico-dollars per unit, rounded up."""
    return math.ceil(dollars_per_million * PICO)
