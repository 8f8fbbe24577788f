"""Conversion and comparison of plans, without AWS."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daypass.config.plans import PlanSettings
from daypass.config.settings import Settings, SettingsError
from daypass.domain.plans import DEFAULT_PLANS, Limit, Measure, UsagePlan, Window
from daypass.enforcement.aws.components import AwsComponents
from daypass.enforcement.aws.plans import (
    PlanNotPossibleError,
    limits_of,
    lowers,
    quota_and_throttle,
    read_plans,
)
from daypass.enforcement.aws.sync import compare_plans
from daypass.records.database import Database


def limit(amount: int, window: Window, burst: int | None = None) -> Limit:
    return Limit(Measure.REQUESTS, amount, window, burst)


def plan(*limits: Limit, plan_id: str = "p") -> UsagePlan:
    return UsagePlan(plan_id, "P", limits)


def plan_of(**terms: Any) -> UsagePlan:
    return PlanSettings(id="p", name="P", **terms).to_plan("p")


@pytest.mark.parametrize("window", [Window.DAY, Window.WEEK, Window.MONTH])
def test_limits_round_trip_through_api_gateway(window: Window) -> None:
    limits = (limit(90, Window.MINUTE, 3), limit(100, window))
    quota, throttle = quota_and_throttle(plan(*limits))
    assert quota == {"limit": 100, "period": window.value.upper()}
    assert throttle == {"rateLimit": 1.5, "burstLimit": 3}
    assert limits_of({"quota": quota, "throttle": throttle}) == limits


def test_a_throttle_without_a_burst_allows_a_minutes_requests() -> None:
    assert quota_and_throttle(plan(limit(10, Window.MINUTE))) == (
        {},
        {"rateLimit": 10 / 60, "burstLimit": 10},
    )
    assert compare_plans([plan(limit(10, Window.MINUTE))], {}) != []


@pytest.mark.parametrize(
    ("terms", "named"),
    [
        ({"requests_per_hour": 10}, "requests_per_hour"),
        ({"requests_per_total": 10}, "requests_per_total"),
        ({"tokens_per_minute": 10}, "tokens_per_minute"),
        ({"requests_per_day": 10, "tokens_per_day": 900}, "tokens_per_day"),
        ({"cost_per_month": 1}, "cost_per_month"),
        ({"requests_per_day": 10, "max_concurrent_requests": 2}, "max_concurrent_requests"),
        (
            {"tokens_per_day": 10, "cost_per_total": 1, "max_concurrent_requests": 2},
            "tokens_per_day, cost_per_total, max_concurrent_requests",
        ),
    ],
)
def test_a_plan_with_unenforceable_options_is_refused(terms: dict[str, Any], named: str) -> None:
    with pytest.raises(PlanNotPossibleError) as refused:
        compare_plans([plan_of(**terms)], {})
    assert str(refused.value).startswith(f"usage plan p: API Gateway cannot enforce {named}. Use ")


def test_the_server_does_not_start_with_an_unenforceable_plan(tmp_path: Path) -> None:
    plans = (PlanSettings(id="p", name="P", tokens_per_day=9),)
    settings = Settings(
        enforcer="aws", aws_rest_api_id="a1", data_dir=tmp_path, plans=plans, demo=True
    )
    with pytest.raises(SettingsError, match="usage plan p: API Gateway cannot enforce tokens"):
        AwsComponents(settings, Database(settings.database_address), time.time)


def test_a_plan_with_two_quotas_is_refused() -> None:
    with pytest.raises(PlanNotPossibleError, match="usage plan p: API Gateway has one quota"):
        quota_and_throttle(plan_of(requests_per_day=10, requests_per_month=100))


def test_options_enforced_by_the_gateway_come_from_the_settings() -> None:
    here = plan_of(requests_per_day=10, max_output_tokens=500, max_key_days=7, models=("gpt-4o*",))
    quota, throttle = quota_and_throttle(here)
    assert (quota, throttle) == ({"limit": 10, "period": "DAY"}, {})
    there = [{"id": "a1", "name": "p", "quota": {"limit": 12, "period": "DAY"}}]
    held = read_plans(there, [here])["p"].plan
    assert held == replace(here, limits=(limit(12, Window.DAY),))


def test_plans_are_read_with_names_and_order_from_the_settings() -> None:
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


def test_lowers_detects_changes_to_a_smaller_plan() -> None:
    small, large = plan(limit(10, Window.DAY)), plan(limit(20, Window.DAY))
    assert lowers(large, small)
    assert lowers(small, small)
    assert not lowers(small, large)
    assert not lowers(small, plan())
    assert not lowers(small, plan(limit(5, Window.MONTH)))
    assert lowers(plan(), small)
    assert lowers(None, large)
