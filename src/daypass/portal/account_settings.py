"""/api/account: change the password, sign out everywhere, delete the account."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.enforcement.base import Also
from daypass.portal import throttles
from daypass.portal.context import InPortal, Portal, SignedInBeforeTerms, session_token
from daypass.portal.passwords import GivenPassword, NewPassword, PasswordTurn
from daypass.portal.problems import ProblemError
from daypass.portal.sessions import delete_cookies, open_session
from daypass.records import accounts, api_keys, operators
from daypass.records.tables import Account

FRESH_S = 600

router = APIRouter(prefix="/account", tags=["account"])


class PasswordChange(BaseModel):
    """The current password and the new one."""

    current_password: GivenPassword
    new_password: NewPassword


class Deletion(BaseModel):
    """The account's password, so that access to an open browser is not enough.

    Accounts without one, which sign in with another site, must have signed in just before.
    """

    password: GivenPassword | None = None


@router.put("/password", status_code=204)
async def change_password(
    change: PasswordChange,
    request: Request,
    response: Response,
    account: SignedInBeforeTerms,
    portal: InPortal,
) -> None:
    """Change the password. Ends every session and opens a new one for this browser."""
    async with portal.passwords.turn(account.id) as turn:
        await _check_password(
            account, change.current_password, portal, turn, field="current_password"
        )
        await turn.check_new(
            change.new_password, account.email, portal.settings, field="new_password"
        )
        password_hash = await turn.hash(change.new_password)
    async with portal.database.write() as session:
        if not await accounts.set_password(
            session, account.id, account.password_hash, password_hash
        ):
            raise ProblemError(409, "Your password has just been changed elsewhere.")
        await accounts.close_sessions(session, account.id)
        account.password_hash = password_hash
        await open_session(session, account, request, response, portal)


@router.delete("/sessions", status_code=204)
async def sign_out_everywhere(
    request: Request, response: Response, account: SignedInBeforeTerms, portal: InPortal
) -> None:
    """Sign out on every device, including this one. API keys keep working."""
    async with portal.database.write() as session:
        await accounts.close_sessions(session, account.id)
    delete_cookies(request, response)


@router.post("/deletion", status_code=204)
async def delete_account(
    deletion: Deletion,
    request: Request,
    response: Response,
    account: SignedInBeforeTerms,
    portal: InPortal,
) -> None:
    """Delete the account and its personal data. Its keys are refused within a second.

    If the same address signs up again within a month, its earlier usage still counts.
    """
    await _check_owner(account, deletion.password, request, portal)
    async with portal.database.read() as session:
        await _check_not_last(session, account)

    async def remove(session: AsyncSession) -> None:
        await operators.lock(session)
        current = await accounts.find(session, account.id)
        if current is not None:
            # Another operator may have left in the meantime.
            await _check_not_last(session, current)
            await portal.remove_account(session, current)

    await portal.write_usage()
    await delete_keys(account.id, portal, remove)
    delete_cookies(request, response)


async def delete_keys(account_id: str, portal: Portal, also: Also) -> None:
    """Delete every API key of an account and run `also` in the same transaction.

    The keys are refused within a second.
    """
    async with portal.database.read() as session:
        keys = await api_keys.list_of(session, account_id)
    await portal.enforcer.delete_keys(keys, also)


async def _check_not_last(session: AsyncSession, account: Account) -> None:
    if await operators.is_last(session, account):
        message = "You are the last operator. Make another account an operator first."
        raise ProblemError(409, message)


async def _check_owner(
    account: Account, password: str | None, request: Request, portal: Portal
) -> None:
    if account.has_password:
        async with portal.passwords.turn(account.id) as turn:
            await _check_password(account, password or "", portal, turn, field="password")
        return
    token = session_token(request, portal) or ""
    async with portal.database.read() as session:
        opened_at = await accounts.session_opened_at(session, token)
    if opened_at is None or portal.now() - opened_at > FRESH_S:
        raise ProblemError(
            403, "Sign out, sign in again, and delete your account right after that."
        )


async def _check_password(
    account: Account, password: str, portal: Portal, turn: PasswordTurn, field: str
) -> None:
    units = await throttles.admit_own_password(account.id, portal)
    if not (await turn.verify(password, account.password_hash)).is_right:
        raise ProblemError(403, "The password is wrong.", field=field)
    await throttles.give_back(portal, units)
