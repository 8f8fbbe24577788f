"""Waiting for conditions, on a machine shared with other tests."""

import time
from collections.abc import Callable

BUSY_S = 5.0
"""Seconds that a busy machine may add to a deadline that Daypass promises."""
START_S = 120.0
"""Seconds for a server to start. Failures are reported at once: this only bounds hangs."""


def until(condition: Callable[[], bool], within_s: float = 30, every_s: float = 0.02) -> None:
    """Wait until a condition holds, checking it every `every_s` seconds. Raises AssertionError."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} seconds"
        time.sleep(every_s)
