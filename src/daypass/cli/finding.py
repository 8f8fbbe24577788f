"""A result of `daypass doctor`."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One check and its result."""

    what: str
    ok: bool
    found: str
    advice: str = ""


def duration(seconds: float) -> str:
    """Format a duration in the largest unit of which it has at least two."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
