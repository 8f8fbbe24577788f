"""POST /api/operator/<noun>/batch: one action on many people, keys or invitations."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daypass.enforcement.base import EnforcerError, KeyGoneError
from daypass.portal.context import InPortal, Operator
from daypass.portal.operator.keys import NO_SUCH_KEY, PlanAssignment, assign_plan, revoke_key
from daypass.portal.operator.people import PersonChange, change_person
from daypass.portal.operator.sign_up import withdraw
from daypass.portal.problems import ProblemError

MAX_ITEMS = 500

router = APIRouter()

Ids = Annotated[list[str], Field(min_length=1, max_length=MAX_ITEMS)]


class PeopleBatch(BaseModel):
    """An action on accounts."""

    ids: Ids
    action: Literal["disable", "enable"]


class KeysBatch(BaseModel):
    """An action on keys. Only `move` needs `usage_plan_id`."""

    ids: Ids
    action: Literal["move", "revoke"]
    usage_plan_id: str | None = None


class InvitationsBatch(BaseModel):
    """An action on invitations."""

    ids: Ids
    action: Literal["withdraw"]


class ItemFailure(BaseModel):
    """An item that was not changed, and why."""

    id: str
    detail: str


class BatchOutcome(BaseModel):
    """How many items were changed, and those that were not."""

    done: int
    failed: list[ItemFailure]


@router.post("/people/batch")
async def change_people(batch: PeopleBatch, operator: Operator, portal: InPortal) -> BatchOutcome:
    """Disable or enable many accounts. Each one has its own entry in the audit log."""
    change = PersonChange(disabled=batch.action == "disable")

    async def act(account_id: str) -> None:
        if account_id == operator.id:
            raise ProblemError(409, "This is your own account.")
        await change_person(account_id, change, operator, portal)

    return await _each(batch.ids, act)


@router.post("/api-keys/batch")
async def change_keys(batch: KeysBatch, operator: Operator, portal: InPortal) -> BatchOutcome:
    """Revoke many keys or move them to another plan. Each has its own entry in the audit log."""
    if batch.action == "revoke":
        return await _each(batch.ids, lambda id_: revoke_key(id_, operator, portal))
    if batch.usage_plan_id not in (await portal.policy()).plans:
        raise ProblemError(422, "There is no such usage plan.", field="usage_plan_id")
    assignment = PlanAssignment(usage_plan_id=batch.usage_plan_id)
    return await _each(batch.ids, lambda id_: assign_plan(id_, assignment, operator, portal))


@router.post("/invitations/batch")
async def change_invitations(
    batch: InvitationsBatch, operator: Operator, portal: InPortal
) -> BatchOutcome:
    """Withdraw many unused invitations. Each has its own entry in the audit log."""
    return await _each(batch.ids, lambda id_: withdraw(id_, operator, portal))


async def _each(ids: list[str], act: Callable[[str], Awaitable[None]]) -> BatchOutcome:
    """Act on each item in its own transaction. One that is refused does not stop the others.

    If the database fails, the call fails: what was done until then stays done, and can be repeated.
    """
    failed = []
    unique = list(dict.fromkeys(ids))
    for id_ in unique:
        try:
            await act(id_)
        except ProblemError as error:
            failed.append(ItemFailure(id=id_, detail=error.problem.detail))
        except EnforcerError as error:
            failed.append(ItemFailure(id=id_, detail=str(error)))
        except KeyGoneError:
            failed.append(ItemFailure(id=id_, detail=NO_SUCH_KEY))
    return BatchOutcome(done=len(unique) - len(failed), failed=failed)
