"""The words and the colour that operators give their site.

They are plain text: every page, mail and header that shows them escapes them in its own way.
"""

import unicodedata
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from daypass.config.times import IsoDatetime
from daypass.domain.colours import parse_colour

_NO_LINE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories: control characters, halves of surrogate pairs, line breaks."""
_DIRECTIONS = {chr(x) for x in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""Characters that reverse the order of what follows, so that a name can pose as another."""


def check_line(value: str) -> str:
    """Return a text of one line. Raises ValueError for line breaks and control characters."""
    for character in value:
        if unicodedata.category(character) in _NO_LINE or character in _DIRECTIONS:
            raise ValueError("must be one line without control characters")
    return value


def check_text(value: str) -> str:
    """Return a text with line breaks as `\\n`. Raises ValueError for control characters."""
    lines = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if any(unicodedata.category(x) in ("Cc", "Cs") and x not in "\n\t" for x in lines):
        raise ValueError("must not contain control characters")
    return lines


def _line(most: int) -> object:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=most)


SiteName = Annotated[str, _line(60), AfterValidator(check_line)]
AccentColour = Annotated[str, AfterValidator(parse_colour)]
WelcomeText = Annotated[str, _line(2_000), AfterValidator(check_text)]


class Announcement(BaseModel):
    """A text for every page. Times are null for "at once" and "until further notice"."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    text: Annotated[str, _line(500), AfterValidator(check_text)]
    start: IsoDatetime | None = Field(default=None, alias="from")
    until: IsoDatetime | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.start and self.until and self.until <= self.start:
            raise ValueError("the announcement ends before it begins")
        return self

    def is_shown(self, now: float) -> bool:
        """Return whether the announcement is shown at an instant (Unix time, seconds)."""
        begun = self.start is None or self.start.timestamp() <= now
        return begun and (self.until is None or now < self.until.timestamp())


class Terms(BaseModel):
    """The terms that people accept. A new version makes everybody accept them again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, _line(20_000), AfterValidator(check_text)]
    version: Annotated[str, _line(40), AfterValidator(check_line)]
