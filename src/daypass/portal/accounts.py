"""POST /api/accounts: sign up."""

from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field

from daypass.portal import admission, first_operator, letters, throttles
from daypass.portal.context import InPortal, Portal
from daypass.portal.mailer import Mailer
from daypass.portal.passwords import NewPassword, check_new_password, hash_password
from daypass.portal.problems import ProblemError
from daypass.portal.sessions import AccountView, start_session
from daypass.records import accounts, sign_ups
from daypass.records.tables import Account

TAKEN = (
    "There is an account with this e-mail address already, or with another one of the same "
    "mailbox. Sign in instead."
)

router = APIRouter(tags=["accounts"])


def check_email(value: str) -> str:
    """An address in its normal form. Raises ValueError for what is none."""
    # Names of a local network (`.local`, a bare host) are as good as public ones here.
    try:
        found = validate_email(value, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return found.normalized


EmailAddress = Annotated[
    str,
    Field(max_length=320, json_schema_extra={"format": "email"}),
    AfterValidator(check_email),
]


class NewAccount(BaseModel):
    """A request to sign up."""

    email: EmailAddress
    password: NewPassword
    invitation: str | None = Field(
        default=None, max_length=80, description="Where people need one: the token of its link"
    )


class MailSent(BaseModel):
    """A mail is on its way; what to do next is in it."""

    mailed_to: str


@router.post(
    "/accounts",
    status_code=201,
    response_model=AccountView,
    responses={202: {"model": MailSent, "description": "A mail with the link that goes on"}},
)
async def sign_up(
    new: NewAccount, request: Request, response: Response, portal: InPortal
) -> AccountView | JSONResponse:
    """Create an account and sign in.

    Where mail is set, the account is made when the link in the mail is opened, and the answer is
    the same (202) whether or not the address has an account.
    """
    await throttles.admit_sign_up(request, portal)
    await check_new_password(new.password, new.email, portal.settings)
    async with portal.database.read() as session:
        await admission.check(session, new.email, new.invitation, portal)
    if portal.mailer is not None:
        await _ask_by_mail(new, request, portal, portal.mailer)
        return JSONResponse(MailSent(mailed_to=new.email).model_dump(), 202)
    password_hash = await hash_password(new.password)
    try:
        async with portal.database.write() as session:
            await admission.admit(session, new.email, new.invitation, portal)
            role = await first_operator.role_of_new_account(session, request, portal)
            account = await accounts.create(
                session, new.email, password_hash, portal.now(), role=role
            )
    except accounts.EmailTakenError:
        raise ProblemError(409, TAKEN, field="email") from None
    throttles.remember_device(account.email, request, response, portal)
    await start_session(account, request, response, portal)
    return AccountView.of(account)


def send_confirmation(account: Account, portal: Portal, mailer: Mailer) -> None:
    """Send the link that confirms an account's address."""
    token = portal.signer.sign("address", [account.id, account.email], sign_ups.LIFETIME_S)
    mailer.send(account.email, letters.confirm_address(mailer.site, token))


async def _ask_by_mail(new: NewAccount, request: Request, portal: Portal, mailer: Mailer) -> None:
    """Keep the sign-up and send its link. All is done for a taken address too, but the letter."""
    await throttles.admit_mail(new.email, request, portal)
    password_hash = await hash_password(new.password)
    async with portal.database.write() as session:
        is_taken = await accounts.is_taken(session, new.email)
        row = await sign_ups.create(session, new.email, password_hash, new.invitation, portal.now())
    token = portal.signer.sign("sign-up", row.id, sign_ups.LIFETIME_S)
    mailer.send(
        new.email,
        letters.has_account(mailer.site)
        if is_taken
        else letters.confirm_sign_up(mailer.site, token),
    )
