"""Times in the portal's JSON."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema

from daypass.domain.times import iso_utc


def day_of(at: int) -> date:
    """Return the UTC date of an instant (Unix time in seconds)."""
    return datetime.fromtimestamp(at, UTC).date()


def iso_ms(at: int) -> str:
    """Format Unix time in milliseconds as ISO 8601 in UTC."""
    return f"{iso_utc(at // 1000)[:-1]}.{at % 1000:03d}Z"


Instant = Annotated[
    int,
    PlainSerializer(iso_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""Unix time in seconds, serialised as ISO 8601 in UTC."""

Moment = Annotated[
    int,
    PlainSerializer(iso_ms, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""Unix time in milliseconds, serialised as ISO 8601 in UTC."""
