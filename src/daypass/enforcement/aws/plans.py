"""Converts usage plans between API Gateway's form and Daypass's. Pure.

API Gateway has one quota of requests per plan (a day, a week or a month) and one throttle (a rate
per second and a burst). The plan's name there is its id here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from daypass.domain.plans import Limit, Measure, UsagePlan, Window

PERIODS = {Window.DAY: "DAY", Window.WEEK: "WEEK", Window.MONTH: "MONTH"}
WINDOWS = {period: window for window, period in PERIODS.items()}
ID_LENGTH = 64


class PlanNotPossibleError(Exception):
    """API Gateway cannot enforce this plan. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class AwsPlan:
    """A usage plan and its id at API Gateway."""

    aws_id: str
    plan: UsagePlan


def quota_and_throttle(plan: UsagePlan) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the plan's `quota` and `throttle` in API Gateway's form; empty if it has none.

    Raises PlanNotPossibleError.
    """
    unenforced = unenforced_options(plan)
    if unenforced:
        raise PlanNotPossibleError(
            f"usage plan {plan.id}: API Gateway cannot enforce {', '.join(unenforced)}. Use one "
            "of requests_per_day, requests_per_week or requests_per_month, with "
            "requests_per_minute if you like, or set DAYPASS_ENFORCER=embedded."
        )
    quotas = [x for x in plan.limits if x.window in PERIODS]
    if len(quotas) > 1:
        raise PlanNotPossibleError(
            f"usage plan {plan.id}: API Gateway has one quota per plan. Keep one of: "
            f"{', '.join(str(x) for x in quotas)}."
        )
    quota = {"limit": quotas[0].amount, "period": PERIODS[quotas[0].window]} if quotas else {}
    throttle = next((x for x in plan.limits if x.window is Window.MINUTE), None)
    if throttle is None:
        return quota, {}
    return quota, {"rateLimit": throttle.amount / 60, "burstLimit": throttle.capacity}


def unenforced_options(plan: UsagePlan) -> list[str]:
    """Return the options of a plan that neither API Gateway nor the gateway behind it enforces.

    The gateway enforces the others: `models`, `max_output_tokens` and `max_key_days`.
    """
    options = [
        f"{x.measure.value}_per_{x.window.value}"
        for x in plan.limits
        if x.measure is not Measure.REQUESTS or x.window not in (Window.MINUTE, *PERIODS)
    ]
    if plan.max_concurrent_requests is not None:
        options.append("max_concurrent_requests")
    return options


def limits_of(aws_plan: Mapping[str, Any]) -> tuple[Limit, ...]:
    """Return the limits of a usage plan at API Gateway."""
    limits = []
    throttle = aws_plan.get("throttle") or {}
    if throttle.get("rateLimit"):
        amount = max(1, round(float(throttle["rateLimit"]) * 60))
        burst = max(1, int(throttle.get("burstLimit") or 1))
        limits.append(Limit(Measure.REQUESTS, amount, Window.MINUTE, burst))
    quota = aws_plan.get("quota") or {}
    if quota.get("limit") is not None:
        window = WINDOWS[quota.get("period", "DAY")]
        limits.append(Limit(Measure.REQUESTS, int(quota["limit"]), window))
    return tuple(limits)


def covers(aws_plan: Mapping[str, Any], rest_api_id: str, stage: str) -> bool:
    """Return whether the plan applies to this stage."""
    return any(
        place.get("apiId") == rest_api_id and place.get("stage") == stage
        for place in aws_plan.get("apiStages") or ()
    )


def read_plans(
    aws_plans: Iterable[Mapping[str, Any]], configured: Sequence[UsagePlan]
) -> dict[str, AwsPlan]:
    """Return the plans by id: their limits are API Gateway's, everything else is the settings'.

    They are in the order of the settings. Those that only API Gateway has come last, by name. Of
    two with the same name, the first is used.
    """
    known = {plan.id: plan for plan in configured}
    order = {plan.id: number for number, plan in enumerate(configured)}
    found: dict[str, AwsPlan] = {}
    for aws_plan in aws_plans:
        name = aws_plan.get("name") or aws_plan["id"]
        plan_id = name if len(name) <= ID_LENGTH else aws_plan["id"]
        description = aws_plan.get("description") or ""
        plan = known.get(plan_id) or UsagePlan(plan_id, name, (), description)
        plan = replace(plan, limits=limits_of(aws_plan))
        found.setdefault(plan_id, AwsPlan(aws_plan["id"], plan))
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def lowers(before: UsagePlan | None, after: UsagePlan) -> bool:
    """Return whether a move grants no more: then it happens at once, else at midnight (UTC)."""
    if before is None:
        return True
    return all(
        any(y.window is x.window and y.amount <= x.amount for y in after.limits)
        for x in before.limits
        if not x.window.is_throttle
    )


def quota_of(plan: UsagePlan) -> Limit | None:
    """Return the quota that API Gateway counts, whatever its period."""
    return next((x for x in plan.limits if x.window in PERIODS), None)
