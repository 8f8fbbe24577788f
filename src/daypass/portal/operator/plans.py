"""/api/operator/usage-plans: create, edit and retire plans.

Those of `daypass.toml` are listed with them and stay as they are there.
"""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, StrictBool

from daypass.config.plans import PlanSettings, PlanTerms
from daypass.portal.context import InPortal, Operator, Portal
from daypass.portal.problems import ProblemError
from daypass.portal.times import Instant
from daypass.portal.usage_plans import UsagePlanView
from daypass.records import api_keys, audit, usage_plans
from daypass.records.tables import StoredPlan

router = APIRouter()


class NewPlan(PlanSettings):
    """A plan as a `[[plans]]` table of `daypass.toml` describes it."""


class PlanChange(PlanTerms):
    """Everything about a plan but its id, which keys refer to."""

    retired: StrictBool = False


class ManagedPlan(UsagePlanView):
    """A plan as operators see it. One with `source` "settings" is changed in `daypass.toml`."""

    source: Literal["settings", "site"]
    keys: int
    retired_at: Instant | None


class ManagedPlans(BaseModel):
    """Every plan, and what all keys of an account may use together in a day."""

    account_requests_per_day: int | None
    plans: list[ManagedPlan]


@router.get("/usage-plans")
async def list_plans(_operator: Operator, portal: InPortal) -> ManagedPlans:
    """Every plan, those for operators to give out and retired ones too."""
    policy = await portal.policy()
    async with portal.database.read() as session:
        stored = {row.id: row for row in await usage_plans.rows(session)}
        counts = await api_keys.count_by_plan(session)
    made_here = stored.keys() - _configured(portal)
    return ManagedPlans(
        account_requests_per_day=policy.account_daily_ceiling,
        plans=[
            ManagedPlan(
                **UsagePlanView.of(plan).model_dump(),
                source="site" if plan.id in made_here else "settings",
                keys=counts.get(plan.id, 0),
                retired_at=stored[plan.id].retired_at if plan.id in made_here else None,
            )
            for plan in policy.plans.values()
        ],
    )


@router.post("/usage-plans", status_code=201)
async def create_plan(new: NewPlan, operator: Operator, portal: InPortal) -> None:
    """Create a plan. People can choose it at once if it is self-service."""
    _check_ours(portal)
    if new.id in _configured(portal):
        raise _taken(new.id)
    try:
        async with portal.database.write() as session:
            await usage_plans.create(session, new.id, _columns(new), portal.now())
            audit.add(
                session, operator, "plan created", new.id, now=portal.now(), detail=_limits(new)
            )
    except usage_plans.PlanIdTakenError:
        raise _taken(new.id) from None


@router.put("/usage-plans/{plan_id}", status_code=204)
async def change_plan(
    plan_id: str, change: PlanChange, operator: Operator, portal: InPortal
) -> None:
    """Change a plan, for the keys that have it too, or retire it: then nobody can choose it."""
    _check_ours(portal)
    if plan_id in _configured(portal):
        raise ProblemError(409, f"The plan {plan_id} is in daypass.toml: change it there.")
    async with portal.database.write() as session:
        row = await usage_plans.find_locked(session, plan_id)
        if row is None:
            raise ProblemError(404, "There is no such usage plan.")
        for name, value in _columns(change).items():
            setattr(row, name, value)
        action = _retire(row, change.retired, portal.now())
        audit.add(session, operator, action, plan_id, now=portal.now(), detail=_limits(change))


def _configured(portal: Portal) -> set[str]:
    return {plan.id for plan in portal.settings.usage_plans}


def _check_ours(portal: Portal) -> None:
    if portal.settings.enforcer == "aws":
        message = "Here the plans are API Gateway's. Change daypass.toml, then 'daypass aws sync'."
        raise ProblemError(409, message)


def _retire(row: StoredPlan, retired: bool, now: int) -> str:
    """Retire a plan or bring it back, and tell what this was."""
    if retired == (row.retired_at is not None):
        return "plan changed"
    row.retired_at = now if retired else None
    return "plan retired" if retired else "plan brought back"


def _columns(terms: PlanTerms) -> dict[str, object]:
    values = terms.model_dump(include=PlanTerms.model_fields.keys() - {"unlimited"})
    return values | {"models": sorted(terms.models)}


def _limits(terms: PlanTerms) -> str:
    return "; ".join(str(limit) for limit in terms.limits) or "no limits"


def _taken(plan_id: str) -> ProblemError:
    return ProblemError(409, f"There is a plan {plan_id} already.", field="id")
