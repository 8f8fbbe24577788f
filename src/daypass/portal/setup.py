"""POST /api/setup: create the first operator's account with the set-up link."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.portal import throttles
from daypass.portal.context import InPortal, Portal
from daypass.portal.passwords import NewPassword
from daypass.portal.problems import ProblemError
from daypass.portal.sessions import AccountView, open_session
from daypass.portal.sign_up import EmailAddress
from daypass.records import accounts, audit, operators

BAD_LINK = (
    "This set-up link is not valid. Open the complete link again, or print a new one on the "
    "server: daypass setup-link."
)
HAS_OPERATOR = (
    "This site already has an operator, so its set-up link no longer works. Sign in, or ask an "
    "operator to make you one."
)

router = APIRouter(tags=["accounts"])


class Setup(BaseModel):
    """The token from the set-up link, and the account to create."""

    token: str = Field(max_length=500)
    email: EmailAddress
    password: NewPassword


@router.post("/setup", status_code=201)
async def set_up(new: Setup, request: Request, response: Response, portal: InPortal) -> AccountView:
    """Create the operator's account with the link that `daypass serve` printed, and sign in.

    The link works once. Returns 403 if it is wrong or the site already has an operator.
    """
    await _admit(new, request, portal)
    async with portal.passwords.turn(new.email) as turn:
        await turn.check_new(new.password, new.email, portal.settings)
        password_hash = await turn.hash(new.password)
    now = portal.now()
    try:
        async with portal.database.write() as session:
            await operators.lock(session)
            await _check_link(session, new.token)
            await operators.void_setup_tokens(session)
            account = await portal.create_account(
                session, new.email, password_hash, role=accounts.OPERATOR
            )
            audit.add(session, account, "site set up", account.email, now=now)
            if portal.outbox is not None:
                await portal.outbox.add(session, "address", account.email, account.id)
            await open_session(session, account, request, response, portal)
    except accounts.EmailTakenError:
        raise _taken(new.email) from None
    throttles.remember_device(account.email, request, response, portal)
    return AccountView.of(account)


async def _admit(new: Setup, request: Request, portal: Portal) -> None:
    """Raise ProblemError for a wrong link (429 for too many of them) or a taken e-mail address.

    The right link is never throttled: strangers may share the operator's IP address.
    """
    try:
        async with portal.database.read() as session:
            await _check_link(session, new.token)
            is_taken = await accounts.is_taken(session, new.email)
    except ProblemError:
        await throttles.admit_wrong_setup_link(request, portal)
        raise
    if is_taken:
        raise _taken(new.email)


async def _check_link(session: AsyncSession, token: str) -> None:
    if await operators.has_active(session):
        raise ProblemError(403, HAS_OPERATOR)
    if not await operators.is_setup_token(session, token):
        raise ProblemError(403, BAD_LINK)


def _taken(email: str) -> ProblemError:
    message = (
        "There is already an account with this e-mail address, or with another one of the same "
        f"mailbox. Make it an operator on the server: daypass accounts promote {email}"
    )
    return ProblemError(409, message, field="email")
