"""Times as the portal's JSON tells them."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema

from daypass.domain.times import iso_utc


def day_of(at: int) -> date:
    """The UTC day of an instant (Unix time, seconds)."""
    return datetime.fromtimestamp(at, UTC).date()


def _iso_ms(at: int) -> str:
    return f"{iso_utc(at // 1000)[:-1]}.{at % 1000:03d}Z"


Instant = Annotated[
    int,
    PlainSerializer(iso_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""Unix time in seconds inside, ISO 8601 in UTC outside."""

Moment = Annotated[
    int,
    PlainSerializer(_iso_ms, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""The same to the millisecond."""
