"""Usage plans, limits and calendar windows. Pure: no clock, no storage."""

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
    """What a limit counts."""

    REQUESTS = "requests"


class Window(StrEnum):
    """A calendar window in UTC: a day starts at 00:00, a week on Monday, a month on the 1st."""

    seconds: int
    """Nominal length (a month: 30 days)."""

    MINUTE = "minute", 60
    HOUR = "hour", 3_600
    DAY = "day", DAY_S
    WEEK = "week", 604_800
    MONTH = "month", 2_592_000

    def __new__(cls, value: str, seconds: int) -> Self:
        """A member that is its name, and has a length."""
        window = str.__new__(cls, value)
        window._value_ = value
        window.seconds = seconds
        return window

    @property
    def is_throttle(self) -> bool:
        """Whether a limit over this window is a throttle; over longer ones it is a quota."""
        return self is Window.MINUTE

    def start(self, at: float) -> int:
        """First second (Unix time) of the window that holds `at` (Unix time, seconds)."""
        second = int(at // 1)
        if self is Window.MONTH:
            first = datetime.fromtimestamp(second, UTC).replace(day=1, hour=0, minute=0, second=0)
            return int(first.timestamp())
        offset = _FIRST_MONDAY if self is Window.WEEK else 0
        return second - (second - offset) % self.seconds

    def end(self, start: int) -> int:
        """First second (Unix time) after the window that began at `start`."""
        if self is Window.MONTH:
            return self.start(start + 31 * DAY_S)
        return start + self.seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of `measure` in each `window`.

    With a `burst`, which only a limit per minute can have, it is a token bucket instead of a
    calendar minute: at most `burst` at once, and they refill evenly, `amount` per minute.
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
        """Units that an unused bucket has: `amount`, or the `burst` of a token bucket."""
        return self.amount if self.burst is None else self.burst


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """What an API key may use.

    `models` are names of models or globs, such as `gpt-4o*`; none means every model.
    """

    id: str
    name: str
    limits: tuple[Limit, ...]
    description: str = ""
    models: frozenset[str] = frozenset()
    self_service: bool = True

    def allows(self, model: str) -> bool:
        """Whether this plan includes a model. Names are case-sensitive, as OpenAI's are."""
        if not self.models or model in self.models:
            return True
        return any(fnmatchcase(model, pattern) for pattern in self.models)

    @property
    def daily_requests(self) -> int | None:
        """Requests per day, or None where the plan sets no such limit."""
        return next((x.amount for x in self.limits if x.window is Window.DAY), None)

    @property
    def most_requests_in_a_day(self) -> int | None:
        """Requests per day; without such a limit, what the other limits admit in one day.

        None where there is no limit at all.
        """
        if self.daily_requests is not None:
            return self.daily_requests
        day = Window.DAY.seconds
        return min((x.amount * max(1, day // x.window.seconds) for x in self.limits), default=None)


def request_limits(amounts: Mapping[Window, int | None], burst: int | None) -> tuple[Limit, ...]:
    """The limits on requests per window, without those that are None; the minute has the burst."""
    return tuple(
        Limit(Measure.REQUESTS, amount, window, burst if window.is_throttle else None)
        for window, amount in amounts.items()
        if amount is not None
    )


def requests_per_day(amount: int) -> UsagePlan:
    """One of the plans that come with Daypass."""
    return UsagePlan(
        id=f"{amount}RequestPerDay",
        name=f"{amount} requests per day",
        limits=(Limit(Measure.REQUESTS, amount, Window.DAY),),
    )


DEFAULT_PLANS = tuple(requests_per_day(amount) for amount in (10, 20, 30))


def largest_daily_requests(plans: Iterable[UsagePlan]) -> int | None:
    """The most requests per day that a person can choose, None where a choice has no limit."""
    amounts = [plan.daily_requests for plan in plans if plan.self_service]
    known = [amount for amount in amounts if amount is not None]
    return max(known) if known and len(known) == len(amounts) else None
