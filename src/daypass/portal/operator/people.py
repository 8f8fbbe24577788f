"""/api/operator/people: find, disable and promote accounts."""

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, StrictBool
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.times import DAY_S
from daypass.portal.account_settings import delete_keys
from daypass.portal.admin_access import require_person, require_person_for
from daypass.portal.context import InPortal, Operator
from daypass.portal.operator.paging import PAGE, Offset, Order, Search
from daypass.portal.problems import ProblemError
from daypass.portal.sessions import AccountView, Role, core_of
from daypass.portal.times import Instant
from daypass.records import accounts, audit, operators
from daypass.records.accounts import PersonRow, PersonSort
from daypass.records.audit import Actor
from daypass.records.tables import Account

router = APIRouter()


class PersonView(AccountView):
    """An account as shown to operators, with its number of requests today."""

    disabled_at: Instant | None
    keys: int
    requests_today: int

    @classmethod
    def of_row(cls, row: PersonRow) -> Self:
        """Return the view of a row."""
        return cls(
            **core_of(row.account),
            disabled_at=row.account.disabled_at,
            keys=row.keys,
            requests_today=row.requests,
        )


class People(BaseModel):
    """A page of accounts, and the total number of matches."""

    total: int
    people: list[PersonView]


class PersonChange(BaseModel):
    """A new role, a new state (disabled or not), or both."""

    role: Role | None = None
    disabled: StrictBool | None = None


@router.get("/people")
async def list_people(
    _operator: Operator,
    portal: InPortal,
    search: Search = "",
    offset: Offset = 0,
    sort: PersonSort = "created_at",
    order: Order = "desc",
) -> People:
    """List accounts whose address contains `search`, by default newest first, 50 per page."""
    today = portal.now() // DAY_S * DAY_S
    await portal.write_usage()
    async with portal.database.read() as session:
        rows, total = await accounts.search(
            session, search.strip(), today, offset, PAGE, sort=sort, descending=order == "desc"
        )
    return People(total=total, people=[PersonView.of_row(row) for row in rows])


@router.patch("/people/{account_id}", status_code=204)
async def change_person(
    account_id: str, change: PersonChange, operator: Operator, portal: InPortal
) -> None:
    """Disable or enable an account, or make it an operator or a member. Its sessions end.

    Raises 409 for the last operator who can sign in. An admin token cannot change a role.
    """
    if change.role is not None:
        require_person(operator, "change roles")

    async def apply(session: AsyncSession) -> None:
        await operators.lock(session)
        account = await find_person(session, account_id)
        require_person_for(operator, account)
        if change.role == accounts.MEMBER or change.disabled:
            await _check_not_last(session, account)
        if change.role is not None and change.role != account.role:
            await accounts.set_role(session, account_id, change.role)
            _note(session, operator, portal, f"made {change.role}", account)
        if change.disabled is not None and change.disabled != (account.disabled_at is not None):
            disabled_at = portal.now() if change.disabled else None
            await accounts.set_disabled(session, account_id, disabled_at)
            _note(session, operator, portal, "disabled" if change.disabled else "enabled", account)

    if change.disabled is None:
        async with portal.database.write() as session:
            await apply(session)
    else:
        await portal.enforcer.set_account_enabled(account_id, not change.disabled, apply)


@router.delete("/people/{account_id}", status_code=204)
async def delete_person(account_id: str, operator: Operator, portal: InPortal) -> None:
    """Delete an account and all its data except totals. Its keys are refused within a second."""

    async def remove(session: AsyncSession) -> None:
        await operators.lock(session)
        account = await find_person(session, account_id)
        await _check_not_last(session, account)
        audit.add(session, operator, "account deleted", account.id, now=portal.now())
        await session.flush()
        await portal.remove_account(session, account)

    await portal.write_usage()
    await delete_keys(account_id, portal, remove)


async def find_person(session: AsyncSession, account_id: str) -> Account:
    """Return an account. Raises ProblemError 404."""
    account = await accounts.find(session, account_id)
    if account is None:
        raise ProblemError(404, "There is no such account.")
    return account


async def _check_not_last(session: AsyncSession, account: Account) -> None:
    if await operators.is_last(session, account):
        message = "This is the last operator. Make another account an operator first."
        raise ProblemError(409, message)


def _note(
    session: AsyncSession, operator: Actor, portal: InPortal, what: str, account: Account
) -> None:
    audit.add(session, operator, f"account {what}", account.email, now=portal.now())
