"""GET /api/usage-plans: the plans on offer."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daypass.domain.plans import Measure, UsagePlan, Window
from daypass.portal.context import InPortal, Portal
from daypass.records import usage_plans

router = APIRouter(tags=["usage plans"])


class LimitView(BaseModel):
    """At most `amount` of `measure` in each `window`. Cost is in micro-dollars."""

    measure: Measure
    amount: int
    window: Window
    burst: Annotated[
        int | None, Field(description="The most at once; `amount` are refilled per minute")
    ] = None


class UsagePlanView(BaseModel):
    """A usage plan. No `models` means every model."""

    id: str
    name: str
    description: str
    limits: list[LimitView]
    max_output_tokens: Annotated[
        int | None, Field(description="The most output tokens of one request")
    ] = None
    max_concurrent_requests: int | None = None
    max_key_days: Annotated[
        int | None, Field(description="The longest lifetime of a key, in days")
    ] = None
    models: list[str]
    self_service: bool
    not_enforced: Annotated[
        list[str], Field(description="Options that API Gateway does not enforce")
    ]

    @classmethod
    def of(cls, plan: UsagePlan, not_enforced: Sequence[str] = ()) -> Self:
        """Return the view of a plan."""
        return cls(
            id=plan.id,
            name=plan.name,
            description=plan.description,
            limits=[
                LimitView(measure=x.measure, amount=x.amount, window=x.window, burst=x.burst)
                for x in plan.limits
            ],
            max_output_tokens=plan.max_output_tokens,
            max_concurrent_requests=plan.max_concurrent_requests,
            max_key_days=plan.max_key_days,
            models=sorted(plan.models),
            self_service=plan.self_service,
            not_enforced=list(not_enforced),
        )


@router.get("/usage-plans", response_model_exclude_none=True)
async def list_usage_plans(portal: InPortal) -> list[UsagePlanView]:
    """List the usage plans on offer. Needs no session."""
    plans = (await portal.policy()).plans.values()
    described = await described_plans(portal)
    return [
        UsagePlanView.of(plan, unenforced_options(portal, plan.id, described))
        for plan in plans
        if plan.self_service
    ]


async def described_plans(portal: Portal) -> dict[str, UsagePlan]:
    """Return the plans of the settings and of the site by id, as they were written.

    Empty with the embedded enforcer, which enforces them as they are. API Gateway has only what it
    can enforce of a plan.
    """
    if portal.settings.enforcer != "aws":
        return {}
    async with portal.database.read() as session:
        stored = await usage_plans.plans(session)
    return {plan.id: plan for plan in (*stored, *portal.settings.usage_plans)}


def unenforced_options(
    portal: Portal, plan_id: str, described: Mapping[str, UsagePlan]
) -> list[str]:
    """Return the options of a plan that API Gateway does not enforce."""
    plan = described.get(plan_id)
    return [] if plan is None else portal.enforcer.unenforced_options(plan)
