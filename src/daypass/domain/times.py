"""Time: the clock type and the ISO 8601 format."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Returns Unix time in seconds."""

DAY_S = 86_400


def iso_utc(at: float) -> str:
    """Format Unix time in seconds as ISO 8601 in UTC: `2026-11-25T00:00:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
