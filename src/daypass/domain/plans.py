"""Usage plans, limits and calendar windows, without a clock or storage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Self

from daypass.domain.times import DAY_S

# 1970-01-01 was a Thursday; weeks begin on Monday (ISO 8601), four days later.
_FIRST_MONDAY = 4 * DAY_S


class Measure(StrEnum):
    """The quantity that a limit counts."""

    REQUESTS = "requests"


class Window(StrEnum):
    """A calendar window in UTC: a day starts at 00:00, a week on Monday, a month on the 1st."""

    seconds: int
    """Nominal length in seconds (30 days for a month)."""

    MINUTE = "minute", 60
    HOUR = "hour", 3_600
    DAY = "day", DAY_S
    WEEK = "week", 604_800
    MONTH = "month", 2_592_000

    def __new__(cls, value: str, seconds: int) -> Self:
        """Create a member equal to its name, with a length."""
        window = str.__new__(cls, value)
        window._value_ = value
        window.seconds = seconds
        return window

    @property
    def is_throttle(self) -> bool:
        """Return whether a limit over this window is a throttle, as opposed to a quota."""
        return self is Window.MINUTE

    def start(self, at: float) -> int:
        """Return the first second (Unix time) of the window that contains `at` (Unix time)."""
        second = int(at // 1)
        if self is Window.MONTH:
            first = datetime.fromtimestamp(second, UTC).replace(day=1, hour=0, minute=0, second=0)
            return int(first.timestamp())
        offset = _FIRST_MONDAY if self is Window.WEEK else 0
        return second - (second - offset) % self.seconds

    def end(self, start: int) -> int:
        """Return the first second (Unix time) after the window that began at `start`."""
        if self is Window.MONTH:
            return self.start(start + 31 * DAY_S)
        return start + self.seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of `measure` in each `window`.

    With a `burst`, which requires a limit per minute, it is a token bucket instead of a calendar
    window: it holds at most `burst` units and refills evenly, `amount` per minute.
    """

    measure: Measure
    amount: int
    window: Window
    burst: int | None = None

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError("a limit cannot be negative")
        if self.burst is not None and (
            self.burst < 1 or self.amount < 1 or not self.window.is_throttle
        ):
            raise ValueError("a burst is at least 1 and needs a limit per minute of at least 1")

    def __str__(self) -> str:
        noun = self.measure.value if self.amount != 1 else self.measure.value.removesuffix("s")
        rate = f"{self.amount} {noun} per {self.window.value}"
        return rate if self.burst is None else f"{rate}, {self.burst} at once"

    @property
    def capacity(self) -> int:
        """Return the units in an unused bucket: `amount`, or the `burst` of a token bucket."""
        return self.amount if self.burst is None else self.burst


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """The limits and models of an API key.

    `models` are model names or globs, such as `gpt-4o*`. If empty, every model is allowed.
    """

    id: str
    name: str
    limits: tuple[Limit, ...]
    description: str = ""
    models: frozenset[str] = frozenset()
    self_service: bool = True

    def allows(self, model: str) -> bool:
        """Return whether this plan includes a model. Names are case-sensitive, as OpenAI's are."""
        if not self.models or model in self.models:
            return True
        return any(fnmatchcase(model, pattern) for pattern in self.models)

    @property
    def daily_requests(self) -> int | None:
        """Return the requests per day, or None if the plan has no such limit."""
        return next((x.amount for x in self.limits if x.window is Window.DAY), None)

    @property
    def most_requests_in_a_day(self) -> int | None:
        """Return the requests per day; without such a limit, what the others admit in one day.

        Return None if the plan has no limit at all.
        """
        if self.daily_requests is not None:
            return self.daily_requests
        day = Window.DAY.seconds
        return min((x.amount * max(1, day // x.window.seconds) for x in self.limits), default=None)


def request_limits(amounts: Mapping[Window, int | None], burst: int | None) -> tuple[Limit, ...]:
    """Return a limit for each window that has an amount. `burst` applies to the minute."""
    return tuple(
        Limit(Measure.REQUESTS, amount, window, burst if window.is_throttle else None)
        for window, amount in amounts.items()
        if amount is not None
    )


def requests_per_day(amount: int) -> UsagePlan:
    """Return one of Daypass's default plans."""
    return UsagePlan(
        id=f"{amount}RequestPerDay",
        name=f"{amount} requests per day",
        limits=(Limit(Measure.REQUESTS, amount, Window.DAY),),
    )


DEFAULT_PLANS = tuple(requests_per_day(amount) for amount in (10, 20, 30))


def largest_daily_requests(plans: Iterable[UsagePlan]) -> int | None:
    """Return the highest daily limit of the self-service plans; None if one has no such limit."""
    amounts = [plan.daily_requests for plan in plans if plan.self_service]
    known = [amount for amount in amounts if amount is not None]
    return max(known) if known and len(known) == len(amounts) else None
