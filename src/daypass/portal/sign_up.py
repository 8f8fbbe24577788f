"""POST /api/accounts: sign up."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field

from daypass.domain.emails import parse_email
from daypass.portal import admission, first_operator, mail_limits, terms, throttles
from daypass.portal.context import InPortal, Portal, caller
from daypass.portal.outbox import Kind, Outbox
from daypass.portal.passwords import NewPassword, PasswordTurn
from daypass.portal.problems import ProblemError
from daypass.portal.sessions import AccountView, open_session
from daypass.portal.terms import AcceptedTerms
from daypass.records import accounts, sign_ups

TAKEN = (
    "There is already an account with this e-mail address, or with another one of the same "
    "mailbox. Sign in instead."
)

router = APIRouter(tags=["accounts"])


def check_email(value: str) -> str:
    """Return the normalised address. Raises ValueError if it is invalid."""
    return parse_email(value).normalized


EmailAddress = Annotated[
    str,
    Field(max_length=320, json_schema_extra={"format": "email"}),
    AfterValidator(check_email),
]


class NewAccount(BaseModel):
    """A request to sign up."""

    email: EmailAddress
    password: NewPassword | None = Field(
        default=None,
        description="Ignored if the site sends e-mail: the page behind the link in the mail asks "
        "for it",
    )
    invitation: str | None = Field(
        default=None,
        max_length=80,
        description="The token from the invitation link, if sign-up requires one",
    )
    accepted_terms: AcceptedTerms = None


class MailSent(BaseModel):
    """A mail with the next step is on its way."""

    mailed_to: str


@router.post(
    "/accounts",
    status_code=201,
    response_model=AccountView,
    responses={
        202: {"model": MailSent, "description": "A mail with a link to continue is on its way"}
    },
)
async def sign_up(
    new: NewAccount, request: Request, response: Response, portal: InPortal
) -> AccountView | JSONResponse:
    """Create an account and sign in.

    If the site sends e-mail, it sends a link instead. The account is created when the link is
    opened, with a password chosen there. The response is the same (202) whether or not the address
    already has an account.
    """
    if portal.outbox is not None:
        await _admit(new, request, portal)
        await _send_link(new, request, portal, portal.outbox)
        return JSONResponse(MailSent(mailed_to=new.email).model_dump(), 202)
    async with portal.passwords.turn(f"{new.email} {caller(request, portal).network}") as turn:
        await _admit(new, request, portal)
        async with portal.database.read() as session:
            await terms.check(session, new.accepted_terms, portal)
        password_hash = await hash_new_password(new.password, new.email, portal, turn)
    try:
        async with portal.database.write() as session:
            await admission.admit(session, new.email, new.invitation, portal)
            role = await first_operator.role_of_new_account(session, request, portal)
            account = await portal.create_account(session, new.email, password_hash, role=role)
            await terms.record(session, account, new.accepted_terms, portal)
            await open_session(session, account, request, response, portal)
    except accounts.EmailTakenError:
        raise ProblemError(409, TAKEN, field="email") from None
    throttles.remember_device(account.email, request, response, portal)
    return AccountView.of(account)


async def _admit(new: NewAccount, request: Request, portal: Portal) -> None:
    await throttles.admit_sign_up(request, portal)
    async with portal.database.read() as session:
        await admission.check(session, new.email, new.invitation, portal)


async def hash_new_password(
    password: str | None, email: str, portal: Portal, turn: PasswordTurn
) -> str:
    """Check and hash a new password. Raises 422 if it is missing or too easy to guess."""
    if password is None:
        raise ProblemError(422, "Choose a password.", field="password")
    await turn.check_new(password, email, portal.settings)
    return await turn.hash(password)


async def _send_link(new: NewAccount, request: Request, portal: Portal, outbox: Outbox) -> None:
    """Store the sign-up and mail its link, or mail that the address already has an account."""
    await throttles.admit_mail(request, portal)
    async with portal.database.write() as session:
        kind: Kind = "has-account" if await accounts.is_taken(session, new.email) else "sign-up"
        await sign_ups.create(session, new.email, new.invitation, portal.now())
        if await mail_limits.take(session, kind, new.email, portal.clock()):
            await outbox.add(session, kind, new.email)
