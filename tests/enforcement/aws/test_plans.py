"""Plans here and at API Gateway: pure."""

from typing import Any

import pytest

from daypass.domain.plans import DEFAULT_PLANS, Limit, Measure, UsagePlan, Window
from daypass.enforcement.aws.plans import (
    PlanNotPossibleError,
    limits_of,
    lowers,
    quota_and_throttle,
    read_plans,
)
from daypass.enforcement.aws.sync import compare_plans


def limit(amount: int, window: Window, burst: int | None = None) -> Limit:
    return Limit(Measure.REQUESTS, amount, window, burst)


def plan(*limits: Limit, plan_id: str = "p") -> UsagePlan:
    return UsagePlan(plan_id, "P", limits)


@pytest.mark.parametrize("window", [Window.DAY, Window.WEEK, Window.MONTH])
def test_limits_go_there_and_come_back(window: Window) -> None:
    limits = (limit(90, Window.MINUTE, 3), limit(100, window))
    quota, throttle = quota_and_throttle(plan(*limits))
    assert quota == {"limit": 100, "period": window.value.upper()}
    assert throttle == {"rateLimit": 1.5, "burstLimit": 3}
    assert limits_of({"quota": quota, "throttle": throttle}) == limits


def test_a_throttle_without_a_burst_gets_one() -> None:
    assert quota_and_throttle(plan(limit(10, Window.MINUTE))) == (
        {},
        {"rateLimit": 10 / 60, "burstLimit": 10},
    )
    assert compare_plans([plan(limit(10, Window.MINUTE))], {}) != []


@pytest.mark.parametrize(
    "limits",
    [
        (limit(10, Window.HOUR),),
        (limit(10, Window.DAY), limit(100, Window.MONTH)),
    ],
)
def test_limits_that_api_gateway_cannot_enforce_are_reported(limits: tuple[Limit, ...]) -> None:
    with pytest.raises(PlanNotPossibleError, match="usage plan p: API Gateway has"):
        quota_and_throttle(plan(*limits))


def test_plans_are_read_with_the_settings_words_in_their_order() -> None:
    def there(aws_id: str, name: str | None, amount: int) -> dict[str, Any]:
        return {"id": aws_id, "name": name, "quota": {"limit": amount, "period": "DAY"}}

    plans = read_plans(
        [
            there("a1", "by hand", 5),
            there("a2", "30RequestPerDay", 30),
            there("a3", "10RequestPerDay", 12),
            there("a4", "10RequestPerDay", 99),
            there("a5", None, 1),
        ],
        DEFAULT_PLANS,
    )
    assert list(plans) == ["10RequestPerDay", "30RequestPerDay", "a5", "by hand"]
    first = plans["10RequestPerDay"]
    assert (first.aws_id, first.plan.name) == ("a3", "10 requests per day")
    assert first.plan.daily_requests == 12
    assert [(x.usage_plan_id, x.what) for x in compare_plans(DEFAULT_PLANS, plans)] == [
        ("10RequestPerDay", "differs"),
        ("20RequestPerDay", "only here"),
        ("a5", "only at API Gateway"),
        ("by hand", "only at API Gateway"),
    ]


def test_which_changes_of_plan_give_no_more() -> None:
    small, large = plan(limit(10, Window.DAY)), plan(limit(20, Window.DAY))
    assert lowers(large, small)
    assert lowers(small, small)
    assert not lowers(small, large)
    assert not lowers(small, plan())
    assert not lowers(small, plan(limit(5, Window.MONTH)))
    assert lowers(plan(), small)
    assert lowers(None, large)
