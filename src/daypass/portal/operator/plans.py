"""/api/operator/usage-plans: create, edit and retire plans.

Plans from `daypass.toml` are listed too, but can only be changed in that file. The built-in ones
are copied to the database when the site first starts, and edited like any other.
"""

from dataclasses import replace
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, StrictBool

from daypass.config.plans import PlanId, PlanTerms
from daypass.portal.context import InPortal, Operator, Portal
from daypass.portal.idempotency import OperatorIdempotency
from daypass.portal.problems import ProblemError
from daypass.portal.times import Instant
from daypass.portal.usage_plans import UsagePlanView, described_plans, unenforced_options
from daypass.records import api_keys, audit, usage_plans
from daypass.records.tables import StoredPlan

router = APIRouter()


class NewPlan(PlanTerms):
    """A plan as a `[[plans]]` table of `daypass.toml` describes it, with costs in micro-dollars."""

    id: PlanId


class PlanChange(PlanTerms):
    """All fields of a plan except its id, which keys refer to."""

    retired: StrictBool = False


class ManagedPlan(UsagePlanView):
    """A plan as shown to operators. Plans with `source` "settings" are set in `daypass.toml`."""

    source: Literal["settings", "site"]
    keys: int
    retired_at: Instant | None


class ManagedPlans(BaseModel):
    """Every plan, and the daily ceiling on all keys of an account together."""

    account_requests_per_day: int | None
    plans: list[ManagedPlan]


@router.get("/usage-plans")
async def list_plans(_operator: Operator, portal: InPortal) -> ManagedPlans:
    """List every plan, including retired ones and those that only operators can assign."""
    policy = await portal.policy()
    async with portal.database.read() as session:
        stored = {row.id: row for row in await usage_plans.rows(session)}
        counts = await api_keys.count_by_plan(session)
    made_here = stored.keys() - _configured(portal)
    described = await described_plans(portal)
    # API Gateway may lack a plan that was made on the site.
    plans = {x.id: replace(x, self_service=False) for x in described.values()} | policy.plans
    return ManagedPlans(
        account_requests_per_day=policy.account_daily_ceiling,
        plans=[
            ManagedPlan(
                **UsagePlanView.of(
                    plan, unenforced_options(portal, plan.id, described)
                ).model_dump(),
                source="site" if plan.id in made_here else "settings",
                keys=counts.get(plan.id, 0),
                retired_at=stored[plan.id].retired_at if plan.id in made_here else None,
            )
            for plan in plans.values()
        ],
    )


@router.post("/usage-plans", status_code=201)
async def create_plan(
    new: NewPlan, operator: Operator, portal: InPortal, repeat: OperatorIdempotency
) -> None:
    """Create a plan. If it is self-service, people can choose it immediately."""
    _check_not_aws(portal)
    if new.id in _configured(portal):
        raise _taken(new.id)
    try:
        async with portal.database.write() as session:
            await usage_plans.create(session, new.id, _columns(new), portal.now())
            audit.add(
                session, operator, "plan created", new.id, now=portal.now(), detail=_limits(new)
            )
            await repeat.keep(session)
    except usage_plans.PlanIdTakenError:
        raise _taken(new.id) from None


@router.put("/usage-plans/{plan_id}", status_code=204)
async def change_plan(
    plan_id: str, change: PlanChange, operator: Operator, portal: InPortal
) -> None:
    """Change a plan, also for its existing keys, or retire it, so that it cannot be chosen."""
    _check_not_aws(portal)
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
    """Return the ids of the plans that are changed elsewhere. API Gateway has its own."""
    settings = portal.settings
    is_aws = settings.enforcer == "aws"
    return {plan.id for plan in (settings.usage_plans if is_aws else settings.configured_plans)}


def _check_not_aws(portal: Portal) -> None:
    if portal.settings.enforcer == "aws":
        message = (
            "API Gateway holds this site's plans. Edit daypass.toml, then run 'daypass aws sync'."
        )
        raise ProblemError(409, message)


def _retire(row: StoredPlan, retired: bool, now: int) -> str:
    """Retire or restore a plan if asked to, and return the action for the audit log."""
    if retired == (row.retired_at is not None):
        return "plan changed"
    row.retired_at = now if retired else None
    return "plan retired" if retired else "plan brought back"


def _columns(terms: PlanTerms) -> dict[str, object]:
    return {
        "name": terms.name,
        "description": terms.description,
        "terms": terms.model_dump(
            include=PlanTerms.model_fields.keys() - {"name", "description"},
            exclude_defaults=True,
            mode="json",
        ),
    }


def _limits(terms: PlanTerms) -> str:
    return "; ".join(str(limit) for limit in terms.limits) or "no limits"


def _taken(plan_id: str) -> ProblemError:
    return ProblemError(409, f"A plan with the id {plan_id} already exists.", field="id")
