"""POST /api/accounts: sign up."""

from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.portal.context import InPortal, Portal
from daypass.portal.passwords import MAX_LENGTH, MIN_LENGTH, hash_password
from daypass.portal.problems import ProblemError
from daypass.portal.sessions import AccountView, start_session
from daypass.records import accounts, invitations

NOT_INVITED = (
    "Sign-up is by invitation on this site. Open the link that you were sent: each works once, "
    "until it expires. Its operator can send you one."
)

router = APIRouter(tags=["accounts"])


def _check_email(value: str) -> str:
    # Names of a local network (`.local`, a bare host) are as good as public ones here.
    try:
        found = validate_email(value, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return found.normalized


class NewAccount(BaseModel):
    """A request to sign up."""

    email: Annotated[
        str,
        Field(max_length=320, json_schema_extra={"format": "email"}),
        AfterValidator(_check_email),
    ]
    password: str = Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)
    invitation: str | None = Field(
        default=None, max_length=80, description="Where people need one: the token of its link"
    )


@router.post("/accounts", status_code=201)
async def sign_up(
    new: NewAccount, request: Request, response: Response, portal: InPortal
) -> AccountView:
    """Create an account and sign in. The first account of a new site is its operator."""
    async with portal.database.read() as session:
        is_first = not await accounts.has_any(session)
        if not is_first:
            await _check_sign_up(new, session, portal)
    password_hash = await hash_password(new.password)
    try:
        async with portal.database.write() as session:
            if portal.settings.sign_up == "invite" and not is_first:
                await _use_invitation(new, session, portal)
            account = await accounts.create(session, new.email, password_hash, portal.now())
    except accounts.EmailTakenError:
        message = "There is an account with this e-mail address already. Sign in instead."
        raise ProblemError(409, message, field="email") from None
    await start_session(account, request, response, portal)
    return AccountView.of(account)


async def _check_sign_up(new: NewAccount, session: AsyncSession, portal: Portal) -> None:
    settings = portal.settings
    if settings.sign_up == "closed":
        raise ProblemError(403, "Sign-up is closed on this site. Ask its operator.")
    domains = settings.allowed_email_domains
    if domains and new.email.rpartition("@")[2].lower() not in domains:
        allowed = ", ".join(domains)
        message = f"Sign up with an e-mail address of: {allowed}."
        raise ProblemError(403, message, field="email")
    if settings.sign_up == "invite" and not await invitations.is_open(
        session, new.invitation or "", portal.now()
    ):
        raise ProblemError(403, NOT_INVITED)


async def _use_invitation(new: NewAccount, session: AsyncSession, portal: Portal) -> None:
    email = accounts.normalise_email(new.email)
    if not await invitations.use(session, new.invitation or "", email, portal.now()):
        raise ProblemError(403, NOT_INVITED)
