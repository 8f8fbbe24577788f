"""A circuit breaker: an upstream that keeps failing is tried after the others.

It never refuses a request. Where every upstream fails, they are tried all the same.
"""

import time
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half_open"]

FAILURES_TO_OPEN = 5
"""Consecutive failures after which the circuit opens."""
PAUSE_S = 10.0
"""How long an open circuit waits before one request may probe the upstream, in seconds."""


class CircuitBreaker:
    """The state of one upstream in this process."""

    __slots__ = ("_clock", "_is_open", "_is_probing", "_retry_at", "failures")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Create a closed breaker. `clock` returns seconds that never run backwards."""
        self._clock = clock
        self.failures = 0
        """Failures since the last success."""
        self._is_open = self._is_probing = False
        self._retry_at = 0.0

    @property
    def state(self) -> State:
        """Return the state; half open while a probe is due or under way."""
        if not self._is_open:
            return "closed"
        return "half_open" if self._is_probing or not self.is_last_resort else "open"

    @property
    def is_last_resort(self) -> bool:
        """Return whether other upstreams are to be tried first."""
        return self._is_open and self._clock() < self._retry_at

    def begin(self) -> None:
        """Note that a request is about to be sent. If a probe is due, this request is the probe."""
        if self._is_open and not self.is_last_resort:
            self._is_probing = True
            # Others wait for the probe. One that never ends is followed by another.
            self._retry_at = self._clock() + PAUSE_S

    def succeed(self) -> None:
        """Note that the upstream served a request."""
        self.failures = 0
        self._is_open = self._is_probing = False

    def fail(self) -> None:
        """Note that the upstream did not serve a request."""
        self.failures += 1
        if self._is_open or self.failures >= FAILURES_TO_OPEN:
            self._is_open, self._is_probing = True, False
            self._retry_at = self._clock() + PAUSE_S
