from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.domain.plans import (
    DEFAULT_PLANS,
    Limit,
    Measure,
    UsagePlan,
    Window,
    largest_daily_requests,
    requests_per_day,
)

instants = st.floats(0, 4_102_444_800, allow_nan=False)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        (Window.MINUTE, "2026-11-25T13:37:00", "2026-11-25T13:38:00"),
        (Window.HOUR, "2026-11-25T13:00:00", "2026-11-25T14:00:00"),
        (Window.DAY, "2026-11-25T00:00:00", "2026-11-26T00:00:00"),
        (Window.WEEK, "2026-11-23T00:00:00", "2026-11-30T00:00:00"),
        (Window.MONTH, "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
    ],
)
def test_windows_are_calendar_windows_in_utc(window: Window, start: str, end: str) -> None:
    began = window.start(at("2026-11-25T13:37:42.5"))
    assert began == at(start)
    assert window.end(began) == at(end)


@given(st.sampled_from(Window), instants)
def test_windows_neither_overlap_nor_leave_gaps(window: Window, instant: float) -> None:
    start = window.start(instant)
    end = window.end(start)
    assert start <= instant < end
    assert window.start(start) == start
    assert window is Window.TOTAL or window.start(end) == end
    assert window.start(end - 0.001) == start


def test_the_last_instant_of_a_day_is_in_its_window() -> None:
    midnight = at("2026-11-26T00:00:00")
    assert Window.DAY.start(midnight - 0.0001) == midnight - 86_400
    assert Window.DAY.start(midnight) == midnight


def test_the_default_plans() -> None:
    assert [plan.id for plan in DEFAULT_PLANS] == [
        "10RequestPerDay",
        "20RequestPerDay",
        "30RequestPerDay",
    ]
    assert [plan.daily_requests for plan in DEFAULT_PLANS] == [10, 20, 30]
    assert largest_daily_requests(DEFAULT_PLANS) == 30


def test_the_largest_daily_limit_ignores_plans_without_self_service() -> None:
    hidden = UsagePlan("x", "x", requests_per_day(1000).limits, self_service=False)
    assert largest_daily_requests([*DEFAULT_PLANS, hidden]) == 30
    assert largest_daily_requests([hidden]) == 0
    without_day = UsagePlan("y", "y", (Limit(Measure.REQUESTS, 5, Window.MINUTE),))
    assert largest_daily_requests([*DEFAULT_PLANS, without_day]) is None


def test_limits_are_described_in_plain_words() -> None:
    assert str(Limit(Measure.REQUESTS, 10, Window.DAY)) == "10 requests per day"
    assert str(Limit(Measure.REQUESTS, 1, Window.MINUTE)) == "1 request per minute"
    with pytest.raises(ValueError, match="negative"):
        Limit(Measure.REQUESTS, -1, Window.DAY)


def test_a_burst_sets_the_capacity_of_a_limit_per_minute() -> None:
    limit = Limit(Measure.REQUESTS, 60, Window.MINUTE, burst=5)
    assert str(limit) == "60 requests per minute, 5 at once"
    assert limit.capacity == 5
    assert Limit(Measure.REQUESTS, 60, Window.MINUTE).capacity == 60


@pytest.mark.parametrize(
    ("amount", "window", "burst"),
    [(60, Window.MINUTE, 0), (0, Window.MINUTE, 5), (60, Window.HOUR, 5)],
)
def test_a_burst_needs_a_rate_per_minute(amount: int, window: Window, burst: int) -> None:
    with pytest.raises(ValueError, match="burst"):
        Limit(Measure.REQUESTS, amount, window, burst)


def test_a_plan_without_models_allows_every_model() -> None:
    assert requests_per_day(1).allows("anything")
    narrow = UsagePlan("n", "n", (), models=frozenset({"small"}))
    assert narrow.allows("small")
    assert not narrow.allows("large")


@pytest.mark.parametrize(
    ("model", "allowed"),
    [
        ("gpt-4o", True), ("gpt-4o-mini", True), ("a/b", True), ("o3", True), ("gpt-4", False),
        ("GPT-4o", False), ("x-gpt-4o", False), ("a/b/c", False), ("o33", False), ("", False),
    ],
)  # fmt: skip
def test_a_plan_matches_models_by_globs(model: str, allowed: bool) -> None:
    plan = UsagePlan("p", "p", (), models=frozenset({"gpt-4o*", "a/b", "o?"}))
    assert plan.allows(model) == allowed
