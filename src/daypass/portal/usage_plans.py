"""GET /api/usage-plans: what can be chosen."""

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel

from daypass.plans import Measure, UsagePlan, Window
from daypass.portal.context import InPortal

router = APIRouter(tags=["usage plans"])


class LimitView(BaseModel):
    """At most `amount` of `measure` in each `window`."""

    measure: Measure
    amount: int
    window: Window


class UsagePlanView(BaseModel):
    """A usage plan. No `models` means every model."""

    id: str
    name: str
    description: str
    limits: list[LimitView]
    models: list[str]
    self_service: bool

    @classmethod
    def of(cls, plan: UsagePlan) -> Self:
        """The view of a plan."""
        return cls(
            id=plan.id,
            name=plan.name,
            description=plan.description,
            limits=[
                LimitView(measure=x.measure, amount=x.amount, window=x.window) for x in plan.limits
            ],
            models=sorted(plan.models),
            self_service=plan.self_service,
        )


@router.get("/usage-plans")
async def list_usage_plans(portal: InPortal) -> list[UsagePlanView]:
    """The usage plans on offer. Needs no session."""
    plans = (await portal.policy()).plans.values()
    return [UsagePlanView.of(plan) for plan in plans if plan.self_service]
