"""/api/operator/api-keys: find keys, move them to any plan, revoke them."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.enforcement.base import Also
from daypass.enforcement.leaked_keys import revoke_leaked
from daypass.portal.api_keys import ApiKeyCore, core_of
from daypass.portal.context import InPortal, Operator, Portal
from daypass.portal.operator.paging import PAGE, Offset, Order, Search
from daypass.portal.problems import ProblemError
from daypass.portal.times import Instant
from daypass.records import api_keys, audit
from daypass.records.api_keys import KeySort
from daypass.records.audit import Actor
from daypass.records.tables import ApiKey

NO_SUCH_KEY = "There is no such API key."

router = APIRouter()


class OwnedKeyView(ApiKeyCore):
    """A key and its owner."""

    account_id: str
    account_email: str
    last_used_at: Instant | None


class OwnedKeys(BaseModel):
    """A page of keys, and the total number of matches."""

    total: int
    keys: list[OwnedKeyView]


class PlanAssignment(BaseModel):
    """The usage plan to assign. It need not be self-service."""

    usage_plan_id: str


class LeakedKeys(BaseModel):
    """API keys that were found in public."""

    keys: list[Annotated[str, Field(max_length=100)]] = Field(min_length=1, max_length=500)


class RevokedKey(BaseModel):
    """A key that had leaked. `deleted` is false if only a rotated-out secret had."""

    id: str
    name: str
    prefix: str
    last4: str
    account_id: str
    account_email: str
    deleted: bool


class RevokedKeys(BaseModel):
    """The keys that were revoked, and how many strings were no key of this site."""

    revoked: list[RevokedKey]
    unknown: int


@router.get("/api-keys")
async def list_keys(
    _operator: Operator,
    portal: InPortal,
    search: Search = "",
    offset: Offset = 0,
    sort: KeySort = "created_at",
    order: Order = "desc",
) -> OwnedKeys:
    """List keys whose owner, name, plan, id or visible part contains `search`, 50 per page."""
    await portal.write_usage()
    async with portal.database.read() as session:
        rows, total = await api_keys.search(
            session, search.strip(), offset, PAGE, sort=sort, descending=order == "desc"
        )
    policy = await portal.policy()
    return OwnedKeys(
        total=total,
        keys=[
            OwnedKeyView(
                **core_of(key, policy),
                account_id=key.account_id,
                account_email=email,
                last_used_at=key.last_used_at,
            )
            for key, email in rows
        ],
    )


@router.patch("/api-keys/{api_key_id}", status_code=204)
async def assign_plan(
    api_key_id: str, assignment: PlanAssignment, operator: Operator, portal: InPortal
) -> None:
    """Move a key to another plan. Its usage today still counts."""
    plan = (await portal.policy()).plans.get(assignment.usage_plan_id)
    if plan is None:
        raise ProblemError(422, "There is no such usage plan.", field="usage_plan_id")
    key = await _find(api_key_id, portal)
    note = _note("key moved", key, operator, portal, moved_to=plan.id)
    await portal.enforcer.change_key(key, key.name, plan, note)


@router.delete("/api-keys/{api_key_id}", status_code=204)
async def revoke_key(api_key_id: str, operator: Operator, portal: InPortal) -> None:
    """Revoke a key: it is refused everywhere within a second."""
    key = await _find(api_key_id, portal)
    await portal.enforcer.delete_keys([key], _note("key revoked", key, operator, portal))


@router.post("/leaked-keys")
async def revoke_leaked_keys(
    leaked: LeakedKeys, operator: Operator, portal: InPortal
) -> RevokedKeys:
    """Revoke keys that were found in public: they are refused everywhere within a second.

    If only a secret that has been rotated out leaked, it stops working and the key stays. Strings
    that are no key of this site are ignored, and only their number is returned.
    """

    async def record(session: AsyncSession, owner: api_keys.SecretOwner) -> None:
        action = "leaked key revoked" if owner.is_current else "leaked old secret revoked"
        subject = f"{owner.key.id} ({owner.key.prefix}…{owner.key.last4})"
        audit.add(session, operator, action, subject, now=portal.now(), detail=owner.email)

    secrets = list(dict.fromkeys(x.strip() for x in leaked.keys))
    revoked = await revoke_leaked(portal.enforcer, portal.database, secrets, record)
    return RevokedKeys(
        revoked=[
            RevokedKey(
                id=x.key.id,
                name=x.key.name,
                prefix=x.key.prefix,
                last4=x.key.last4,
                account_id=x.key.account_id,
                account_email=x.email,
                deleted=x.is_current,
            )
            for x in revoked
        ],
        unknown=len(secrets) - len(revoked),
    )


async def _find(api_key_id: str, portal: Portal) -> ApiKey:
    async with portal.database.read() as session:
        key = await api_keys.find_any(session, api_key_id)
    if key is None:
        raise ProblemError(404, NO_SUCH_KEY)
    return key


def _note(
    action: str, key: ApiKey, operator: Actor, portal: Portal, moved_to: str | None = None
) -> Also:
    """Return a callback that adds to the audit log in the transaction that changes the key."""
    subject = f"{key.id} ({key.prefix}…{key.last4})"

    async def note(session: AsyncSession) -> None:
        detail = ""
        if moved_to is not None:
            # The key may have moved since it was looked up.
            current = await api_keys.find_any(session, key.id) or key
            detail = f"{current.usage_plan_id} to {moved_to}"
        audit.add(session, operator, action, subject, now=portal.now(), detail=detail)

    return note
