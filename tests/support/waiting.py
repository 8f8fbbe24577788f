"""Waiting, in tests that share the machine with each other."""

import time
from collections.abc import Callable

BUSY_S = 5.0
"""What a busy machine may take on top of a time that Daypass promises."""
START_S = 120.0
"""For a server to start. One that cannot says so at once: this only bounds one that hangs."""


def until(condition: Callable[[], bool], within_s: float = 30, every_s: float = 0.02) -> None:
    """Wait until a condition holds, checking it every `every_s` seconds. Raises AssertionError."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} seconds"
        time.sleep(every_s)
