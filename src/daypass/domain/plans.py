"""Usage plans, limits and calendar windows, without a clock or storage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple, Self

from daypass.domain.times import DAY_S

# 1970-01-01 was a Thursday; weeks begin on Monday (ISO 8601), four days later.
_FIRST_MONDAY = 4 * DAY_S


FOREVER = 253_402_300_800
"""The end of a window that never ends: year 10000 (Unix time, seconds)."""


class Measure(StrEnum):
    """What a limit counts: requests, tokens (input plus output), or cost in micro-dollars."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    COST = "cost"

    def quantity(self, amount: int) -> str:
        """Format an amount: `1 request`, `250 tokens`, `$0.25`."""
        if self is Measure.COST:
            return dollars(amount)
        return f"{amount} {self.value if amount != 1 else self.value.removesuffix('s')}"


class Amounts(NamedTuple):
    """An amount in each measure. The fields are in the order of `Measure`."""

    requests: int = 1
    tokens: int = 0
    cost: int = 0
    """Micro-dollars."""

    def minus(self, other: "Amounts") -> "Amounts":
        """Return the differences, which may be negative."""
        return Amounts(*(x - y for x, y in zip(self, other, strict=True)))


NOTHING = Amounts(0, 0, 0)
ONE_REQUEST = Amounts()


class Window(StrEnum):
    """A window in UTC: a day starts at 00:00, a week on Monday, a month on the 1st.

    `total` is one window that never ends.
    """

    seconds: int
    """Nominal length in seconds (30 days for a month)."""

    MINUTE = "minute", 60
    HOUR = "hour", 3_600
    DAY = "day", DAY_S
    WEEK = "week", 604_800
    MONTH = "month", 2_592_000
    TOTAL = "total", FOREVER

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
        """First second (Unix time) of the window that holds `at` (Unix time, seconds)."""
        if self is Window.TOTAL:
            return 0
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

    A limit on requests per minute may have a `burst`. Then it is a token bucket instead of a
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
            self.burst < 1 or self.amount < 1 or not _may_burst(self.measure, self.window)
        ):
            raise ValueError("a burst is at least 1 and needs a limit of requests per minute")

    def __str__(self) -> str:
        quantity = self.measure.quantity(self.amount)
        is_total = self.window is Window.TOTAL
        rate = f"{quantity} in total" if is_total else f"{quantity} per {self.window.value}"
        return rate if self.burst is None else f"{rate}, {self.burst} at once"

    @property
    def is_daily_requests(self) -> bool:
        """Whether this is a limit on requests per day."""
        return self.measure is Measure.REQUESTS and self.window is Window.DAY

    @property
    def keeps_units(self) -> bool:
        """Whether units stay used even if the upstream did not serve the request."""
        return _may_burst(self.measure, self.window)

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
    max_output_tokens: int | None = None
    """The most output tokens of one request."""
    max_concurrent_requests: int | None = None
    max_key_days: int | None = None
    """The longest lifetime of a key, in days."""

    def allows(self, model: str, narrowed: frozenset[str] = frozenset()) -> bool:
        """Return whether this plan includes a model. Names are case-sensitive, as OpenAI's are.

        `narrowed` are the names or globs to which a key's owner has narrowed it, if any.
        """
        is_included = not self.models or _matches(model, self.models)
        return is_included and (not narrowed or _matches(model, narrowed))

    @property
    def daily_requests(self) -> int | None:
        """Requests per day, or None where the plan sets no such limit."""
        return next((x.amount for x in self.limits if x.is_daily_requests), None)

    def key_expires_at(self, created_at: int, chosen: int | None = None) -> int | None:
        """Return when a key expires: at the time its owner chose, or earlier if the plan says so.

        All are Unix time in seconds. None: never.
        """
        if self.max_key_days is None:
            return chosen
        latest = created_at + self.max_key_days * DAY_S
        return latest if chosen is None else min(chosen, latest)

    def limits_of(self, measure: Measure) -> tuple[Limit, ...]:
        """Return the limits on one measure."""
        return tuple(x for x in self.limits if x.measure is measure)

    @property
    def most_requests_in_a_day(self) -> int | None:
        """Return the requests per day; without such a limit, what the others admit in one day.

        None if requests have no limit.
        """
        if self.daily_requests is not None:
            return self.daily_requests
        day = Window.DAY.seconds
        limits = self.limits_of(Measure.REQUESTS)
        return min((x.amount * max(1, day // x.window.seconds) for x in limits), default=None)


def limits_of_amounts(
    amounts: Mapping[tuple[Measure, Window], int | None], burst: int | None
) -> tuple[Limit, ...]:
    """Return the limits that are set. `burst` belongs to the limit on requests per minute."""
    return tuple(
        Limit(measure, amount, window, burst if _may_burst(measure, window) else None)
        for (measure, window), amount in amounts.items()
        if amount is not None
    )


def _matches(model: str, patterns: frozenset[str]) -> bool:
    return model in patterns or any(fnmatchcase(model, pattern) for pattern in patterns)


def _may_burst(measure: Measure, window: Window) -> bool:
    return measure is Measure.REQUESTS and window.is_throttle


def dollars(micro: int) -> str:
    """Format micro-dollars: `$0.25`, `$0.000125`."""
    whole, rest = divmod(micro, 1_000_000)
    cents = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"${whole}.{cents}"


def requests_per_day(amount: int) -> UsagePlan:
    """Return one of Daypass's default plans."""
    return UsagePlan(
        id=f"{amount}RequestPerDay",
        name=f"{amount} requests per day",
        limits=(Limit(Measure.REQUESTS, amount, Window.DAY),),
    )


DEFAULT_PLANS = tuple(requests_per_day(amount) for amount in (10, 20, 30))
"""The built-in plans. A site's first start copies them to its database: see `app/startup.py`."""


def largest_daily_requests(plans: Iterable[UsagePlan]) -> int | None:
    """Return the highest daily limit of the self-service plans; None if one has no such limit.

    Return 0 if there is no self-service plan.
    """
    largest = 0
    for plan in plans:
        if plan.self_service:
            if plan.daily_requests is None:
                return None
            largest = max(largest, plan.daily_requests)
    return largest
