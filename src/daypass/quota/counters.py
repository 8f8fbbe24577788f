"""The arithmetic of one bucket, in whole microseconds: calendar windows and token buckets.

Pure. `take.lua` and `give.lua` do the same inside Redis; one test suite holds both to it.
"""

from typing import NamedTuple

from daypass.domain.plans import Limit, Window

SECOND = 1_000_000
"""Microseconds."""


class Counter(NamedTuple):
    """What is stored of a bucket.

    Of a calendar window: `since` is its first instant (Unix time, microseconds), `used` the
    units taken in it. Of a token bucket: `used` is what had not been refilled at `since`, in
    units times the microseconds of the limit's window, so that one microsecond refills exactly
    the limit's amount and nothing is ever rounded.
    """

    since: int
    used: int


class Moment:
    """An instant (Unix time, microseconds) and the calendar windows that hold it."""

    __slots__ = ("_starts", "us")

    def __init__(self, us: int) -> None:
        self.us = us
        self._starts: dict[Window, int] = {}

    def start(self, window: Window) -> int:
        """The first instant of the window that holds this moment."""
        start = self._starts.get(window)
        if start is None:
            start = self._starts[window] = window.start(self.us // SECOND) * SECOND
        return start


def unit(limit: Limit) -> int:
    """What one unit adds to a counter's `used`."""
    return 1 if limit.burst is None else limit.window.seconds * SECOND


def advance(limit: Limit, counter: Counter | None, moment: Moment) -> Counter:
    """A stored counter as it stands at a moment. None: nothing has been taken yet."""
    if limit.burst is None:
        start = moment.start(limit.window)
        return counter if counter is not None and counter.since >= start else Counter(start, 0)
    if counter is None:
        return Counter(moment.us, 0)
    elapsed = moment.us - counter.since
    if elapsed <= 0:  # The clock went back: nothing refills until it has caught up.
        return counter
    return Counter(moment.us, max(0, counter.used - elapsed * limit.amount))


def reaches_back_to(limit: Limit, moment: Moment) -> int:
    """The earliest instant (Unix µs) at which a unit can have been taken that is lacking now."""
    if limit.burst is None:
        return moment.start(limit.window)
    return moment.us - limit.burst * unit(limit) // limit.amount


def take(limit: Limit, counter: Counter, amount: int) -> Counter:
    """Return an up-to-date counter with `amount` more, which need not be within the limit."""
    return Counter(counter.since, counter.used + amount * unit(limit))


def fits(limit: Limit, counter: Counter) -> bool:
    """Whether a counter is within its limit."""
    return counter.used <= limit.capacity * unit(limit)


def adjust(
    limit: Limit, taken: Counter, counter: Counter | None, moment: Moment, change: int
) -> Counter:
    """Return the counter after the amount of an earlier `take` has changed by `change`.

    `taken` is the counter just after that `take`. A window that has closed since does not change.
    Nor does a throttle on requests: it limits how often the upstream is called, whatever the
    outcome.
    """
    now = advance(limit, counter, moment)
    if limit.keeps_units or now.since != taken.since:
        return now
    return Counter(now.since, max(0, now.used + change))


def units_used(limit: Limit, counter: Counter) -> int:
    """Whole units that a counter's bucket lacks. One that is partly refilled is lacking still."""
    return counter.used if limit.burst is None else -(-counter.used // unit(limit))


def resets_at(limit: Limit, counter: Counter) -> int:
    """Return when a bucket frees (Unix time, whole seconds): its window ends, or a unit refills."""
    if limit.burst is None:
        return limit.window.end(counter.since // SECOND)
    enough = unit(limit) * (min(units_used(limit, counter), limit.burst) - 1)
    wait = -(-max(0, counter.used - enough) // limit.amount) if counter.used else 0
    return -(-(counter.since + wait) // SECOND)
