"""/api/session: sign in, read the signed-in account, sign out."""

from typing import Any, Literal, Self

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.times import DAY_S
from daypass.portal import throttles
from daypass.portal.context import (
    COOKIE,
    InPortal,
    Portal,
    SignedInBeforeTerms,
    caller,
    cookie_name,
    is_https,
    session_token,
)
from daypass.portal.passwords import GivenPassword
from daypass.portal.problems import ProblemError
from daypass.portal.times import Instant
from daypass.records import accounts
from daypass.records.tables import Account

SESSION_LIFETIME_S = 30 * DAY_S

Role = Literal["operator", "member"]

log = structlog.get_logger()

router = APIRouter(tags=["session"])


class Credentials(BaseModel):
    """A request to sign in."""

    email: str = Field(min_length=1, max_length=320)
    password: GivenPassword


class AccountView(BaseModel):
    """An account as its owner sees it."""

    id: str
    email: str
    email_confirmed: bool
    has_password: bool
    role: Role
    created_at: Instant
    accepted_terms: str | None = Field(
        description="The version of the site's terms that was accepted last"
    )

    @classmethod
    def of(cls, account: Account) -> Self:
        """Return the view of a row."""
        return cls(**core_of(account))


def core_of(account: Account) -> dict[str, Any]:
    """Return the values of the `AccountView` fields."""
    return {name: getattr(account, name) for name in AccountView.model_fields}


@router.post("/session")
async def sign_in(
    credentials: Credentials, request: Request, response: Response, portal: InPortal
) -> AccountView:
    """Sign in with e-mail address and password. Returns 429 after too many failed attempts."""
    try:
        return await _sign_in(credentials, request, response, portal)
    except ProblemError as error:
        if error.problem.status in (401, 403, 429):
            # For tools that block addresses, such as fail2ban.
            client = caller(request, portal).address
            log.warning("sign_in_failed", client=client, status=error.problem.status)
        raise


async def _sign_in(
    credentials: Credentials, request: Request, response: Response, portal: Portal
) -> AccountView:
    attempt = throttles.SignInAttempt.of(credentials.email, request, portal)
    await attempt.check()
    async with portal.passwords.turn(attempt.subject) as turn:
        account = await attempt.begin()
        known = account.password_hash if account else None
        verdict = await turn.verify(credentials.password, known)
        if not verdict.is_right or account is None:
            raise ProblemError(401, "The e-mail address or the password is wrong.")
        async with portal.database.write() as session:
            await attempt.succeed(session)
            if account.disabled_at is None:
                await open_session(session, account, request, response, portal)
                if verdict.better_hash:
                    await accounts.set_password(
                        session, account.id, account.password_hash, verdict.better_hash
                    )
    if account.disabled_at is not None:
        raise ProblemError(403, "Your account has been disabled. Ask the operator of this site.")
    throttles.remember_device(account.email, request, response, portal, attempt.device)
    return AccountView.of(account)


@router.get("/session")
async def who_am_i(account: SignedInBeforeTerms) -> AccountView:
    """Return the signed-in account."""
    return AccountView.of(account)


@router.delete("/session", status_code=204)
async def sign_out(request: Request, response: Response, portal: InPortal) -> None:
    """Sign out. The session ends on the server, even if the browser keeps its cookie."""
    token = session_token(request, portal)
    if token:
        async with portal.database.write() as session:
            await accounts.close_session(session, token)
    delete_cookies(request, response)


def delete_cookies(request: Request, response: Response) -> None:
    """Delete the session cookies in the browser."""
    for secure in (False, True):
        name = cookie_name(COOKIE, secure=secure)
        if name in request.cookies:
            response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")


async def open_session(
    session: AsyncSession, account: Account, request: Request, response: Response, portal: Portal
) -> None:
    """Sign the browser in with a new session and end its previous one.

    Call it in the transaction that changes the account, so that both succeed or neither. Raises
    401 if the account was disabled or its password changed since it was read.
    """
    if not await accounts.is_unchanged(session, account):
        raise ProblemError(401, "Your account has just been changed elsewhere. Sign in again.")
    before = session_token(request, portal)
    if before:
        await accounts.close_session(session, before)
    token = await accounts.open_session(session, account.id, portal.now(), SESSION_LIFETIME_S)
    secure = is_https(request, portal)
    response.set_cookie(
        cookie_name(COOKIE, secure=secure),
        token,
        max_age=SESSION_LIFETIME_S,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
