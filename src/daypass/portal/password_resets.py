"""/api/password-resets: a new password for whoever has the account's mailbox."""

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

KIND: Kind = "password-reset"

EXPIRED = "This link has expired or was used before. Ask for a new one."

router = APIRouter(prefix="/password-resets", tags=["accounts"])


class ResetRequest(BaseModel):
    """Whose password it is."""

    email: EmailAddress


class Reset(BaseModel):
    """The token of the link, and the password that shall hold."""

    token: str = Field(max_length=500)
    password: NewPassword


@router.post("", status_code=202)
async def ask_for_new_password(asked: ResetRequest, request: Request, portal: InPortal) -> MailSent:
    """Have a link sent. The answer is the same whether or not there is such an account."""
    if portal.outbox is None:
        raise ProblemError(409, NO_MAIL)
    await throttles.admit_mail(request, portal)
    async with portal.database.write() as session:
        account = await accounts.find_by_email(session, asked.email)
        may_send = await mail_limits.take(session, KIND, asked.email, portal.clock())
        if may_send and account is not None and account.disabled_at is None:
            await portal.outbox.add(session, KIND, account.email, account.id)
    return MailSent(mailed_to=asked.email)


@router.put("", status_code=204)
async def choose_new_password(
    new: Reset, request: Request, response: Response, portal: InPortal
) -> None:
    """Choose a new password by the link of a mail. Every browser is signed out.

    This one may then sign in whatever attack is under way on the account. Where the address was
    never confirmed, a stranger may have made the account: its API keys are deleted.
    """
    account_id, before = portal.signer.read("password reset", new.token) or ("", "")
    async with portal.database.read() as session:
        account = await accounts.find(session, account_id)
    if account is None or digest(account.password_hash) != before:
        raise ProblemError(403, EXPIRED)
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
