"""The arithmetic of one bucket, in whole microseconds: calendar windows and token buckets.

Pure functions. `take.lua` and `give.lua` do the same in Redis; one test suite covers both.
"""

from typing import NamedTuple

from daypass.domain.plans import Limit, Window

SECOND = 1_000_000
"""Microseconds."""


class Counter(NamedTuple):
    """The stored state of a bucket.

    Calendar window: `since` is its first instant (Unix time, microseconds) and `used` the units
    taken in it. Token bucket: `used` is the amount not yet refilled at `since`, in units times
    the microseconds of the limit's window. One microsecond then refills exactly the limit's
    amount, without rounding.
    """

    since: int
    used: int


class Moment:
    """An instant (Unix time, microseconds) and the calendar windows that contain it."""

    __slots__ = ("_starts", "us")

    def __init__(self, us: int) -> None:
        self.us = us
        self._starts: dict[Window, int] = {}

    def start(self, window: Window) -> int:
        """Return the first instant of the window that contains this moment."""
        start = self._starts.get(window)
        if start is None:
            start = self._starts[window] = window.start(self.us // SECOND) * SECOND
        return start


def unit(limit: Limit) -> int:
    """Return the amount that one unit adds to a counter's `used`."""
    return 1 if limit.burst is None else limit.window.seconds * SECOND


def advance(limit: Limit, counter: Counter | None, moment: Moment) -> Counter:
    """Return a stored counter brought up to a moment; None if nothing has been taken yet."""
    if limit.burst is None:
        start = moment.start(limit.window)
        return counter if counter is not None and counter.since >= start else Counter(start, 0)
    if counter is None:
        return Counter(moment.us, 0)
    elapsed = moment.us - counter.since
    if elapsed <= 0:  # The clock went back: refill nothing until it catches up.
        return counter
    return Counter(moment.us, max(0, counter.used - elapsed * limit.amount))


def reaches_back_to(limit: Limit, moment: Moment) -> int:
    """Return the earliest instant (Unix µs) from which a taken unit may still count as used."""
    if limit.burst is None:
        return moment.start(limit.window)
    return moment.us - limit.burst * unit(limit) // limit.amount


def take(limit: Limit, counter: Counter) -> Counter:
    """Return an up-to-date counter with one unit more, even if that exceeds the limit."""
    return Counter(counter.since, counter.used + unit(limit))


def fits(limit: Limit, counter: Counter) -> bool:
    """Return whether a counter is within its limit."""
    return counter.used <= limit.capacity * unit(limit)


def give_back(limit: Limit, taken: Counter, counter: Counter | None, moment: Moment) -> Counter:
    """Return the counter with one unit fewer. `taken` is the counter just after taking it.

    A throttle keeps its unit, because it limits calls to the upstream whether or not they
    succeed. A window that has closed since keeps its unit too.
    """
    now = advance(limit, counter, moment)
    if limit.window.is_throttle or now.since != taken.since:
        return now
    return Counter(now.since, max(0, now.used - 1))


def units_used(limit: Limit, counter: Counter) -> int:
    """Return the whole units in use. A partly refilled unit still counts as used."""
    return counter.used if limit.burst is None else -(-counter.used // unit(limit))


def resets_at(limit: Limit, counter: Counter) -> int:
    """Return when the window ends or the next unit is refilled (Unix time, whole seconds)."""
    if limit.burst is None:
        return limit.window.end(counter.since // SECOND)
    enough = unit(limit) * (min(units_used(limit, counter), limit.burst) - 1)
    wait = -(-max(0, counter.used - enough) // limit.amount) if counter.used else 0
    return -(-(counter.since + wait) // SECOND)
