"""Times in settings and requests."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator


def _refuse_numbers(value: Any) -> Any:
    """Refuse a Unix time: the documented format is ISO 8601."""
    # Pydantic takes digits in a string for a Unix time too.
    if isinstance(value, int | float) or (isinstance(value, str) and ":" not in value):
        raise ValueError("write a time such as 2026-12-01T08:00:00Z")
    return value


IsoDatetime = Annotated[AwareDatetime, BeforeValidator(_refuse_numbers)]
"""A time with a zone: ISO 8601 text, or a date-time of TOML. Numbers are refused."""
