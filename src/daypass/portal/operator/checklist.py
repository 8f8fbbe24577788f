"""GET /api/operator/checklist: what a new site still needs.

Steps that cannot be derived are confirmed with the setting `checklist_done`. Confirming all of them
hides the list.
"""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.site_settings import ChecklistStep
from daypass.portal.context import InPortal, Operator, Portal
from daypass.records import accounts, audit, invitations, upstreams

router = APIRouter()


class StepView(BaseModel):
    """A step, and whether it is done or confirmed."""

    step: ChecklistStep
    done: bool


class Checklist(BaseModel):
    """Every step in order, and those that an operator has confirmed."""

    steps: list[StepView]
    confirmed: list[ChecklistStep]


@router.get("/checklist")
async def read_checklist(_operator: Operator, portal: InPortal) -> Checklist:
    """Return the steps from a new site to a shared one."""
    async with portal.database.read() as session:
        confirmed = (await portal.site_settings(session)).checklist_done
        done = await _done(session, portal)
    return Checklist(
        steps=[StepView(step=step, done=is_done or step in confirmed) for step, is_done in done],
        confirmed=list(confirmed),
    )


async def _done(session: AsyncSession, portal: Portal) -> list[tuple[ChecklistStep, bool]]:
    site = await portal.site_settings(session)
    configured = portal.settings.configured_upstreams
    has_upstream = bool(configured) or await upstreams.count(session) > 0
    has_plans = bool(portal.settings.plans) or await audit.has_action(session, "plan ")
    is_shared = await accounts.has_several(session) or await invitations.has_any(session)
    return [
        ("upstream", has_upstream),
        ("plans", has_plans),
        ("name", site.site_name is not None),
        ("share", is_shared),
    ]
