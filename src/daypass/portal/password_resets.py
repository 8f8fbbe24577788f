"""/api/password-resets: reset a password with a link sent to the account's address."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.portal import mail_limits, throttles
from daypass.portal.account_settings import delete_keys
from daypass.portal.confirmations import NO_MAIL
from daypass.portal.context import InPortal
from daypass.portal.outbox import Kind
from daypass.portal.passwords import NewPassword
from daypass.portal.problems import ProblemError
from daypass.portal.sign_up import EmailAddress, MailSent
from daypass.records import accounts
from daypass.records.identifiers import digest
from daypass.records.tables import Account

KIND: Kind = "password-reset"

EXPIRED = "This link has expired or has already been used. Ask for a new one."

OPERATORS = (
    "This address belongs to an operator's account and was never confirmed. Confirm it first, in a "
    "browser that is signed in to the account."
)

router = APIRouter(prefix="/password-resets", tags=["accounts"])


class ResetRequest(BaseModel):
    """A request for a reset link."""

    email: EmailAddress


class Reset(BaseModel):
    """The token from the link, and the new password."""

    token: str = Field(max_length=500)
    password: NewPassword


@router.post("", status_code=202)
async def ask_for_new_password(reset: ResetRequest, request: Request, portal: InPortal) -> MailSent:
    """Send a reset link to the account of this mailbox, at the account's own address.

    The response is the same whether or not the account exists.
    """
    if portal.outbox is None:
        raise ProblemError(409, NO_MAIL)
    await throttles.admit_mail(request, portal)
    async with portal.database.write() as session:
        # A stranger may have signed up with an alias, which the mailbox's owner cannot guess.
        account = await accounts.find_by_mailbox(session, reset.email)
        recipient = account.email if account else reset.email
        may_send = await mail_limits.take(session, KIND, recipient, portal.clock())
        if may_send and account is not None and account.disabled_at is None and _may_reset(account):
            await portal.outbox.add(session, KIND, account.email, account.id)
    return MailSent(mailed_to=reset.email)


@router.put("", status_code=204)
async def choose_new_password(
    new: Reset, request: Request, response: Response, portal: InPortal
) -> None:
    """Choose a new password with the link from the mail. Every browser is signed out.

    This browser may then sign in even while an attack exhausts the account's sign-in limits. If
    the address was never confirmed, a stranger may have created the account, so its API keys are
    deleted.
    """
    account_id, before = portal.signer.read("password reset", new.token) or ("", "")
    async with portal.database.read() as session:
        account = await accounts.find(session, account_id)
    if account is None or digest(account.password_hash) != before:
        raise ProblemError(403, EXPIRED)
    if not _may_reset(account):
        raise ProblemError(403, OPERATORS)
    async with portal.passwords.turn(account.id) as turn:
        await turn.check_new(new.password, account.email, portal.settings)
        password_hash = await turn.hash(new.password)

    async def change(session: AsyncSession) -> None:
        if not await accounts.set_password(
            session, account.id, account.password_hash, password_hash
        ):
            raise ProblemError(403, EXPIRED)
        await accounts.confirm_email(session, account.id, account.email, portal.now())
        await accounts.close_sessions(session, account.id)
        await mail_limits.reset(session, KIND, account.email)

    if account.email_confirmed:
        async with portal.database.write() as session:
            await change(session)
    else:
        await delete_keys(account.id, portal, change)
    throttles.remember_device(account.email, request, response, portal)


def _may_reset(account: Account) -> bool:
    """Return whether the mailbox proves ownership: an operator's address may be mistyped."""
    return account.email_confirmed or account.role != accounts.OPERATOR
