"""/api/password-resets: a new password for whoever has the account's mailbox."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from daypass.portal import letters, throttles
from daypass.portal.accounts import EmailAddress, MailSent
from daypass.portal.confirmations import NO_MAIL
from daypass.portal.context import InPortal
from daypass.portal.passwords import NewPassword
from daypass.portal.problems import ProblemError
from daypass.records import accounts
from daypass.records.identifiers import digest

LIFETIME_S = 1800

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
    if portal.mailer is None:
        raise ProblemError(409, NO_MAIL)
    await throttles.admit_mail(asked.email, request, portal)
    async with portal.database.read() as session:
        account = await accounts.find_by_email(session, asked.email)
    if account is not None and account.disabled_at is None:
        # The hash is part of it, so that a link is dead as soon as there is another password.
        content = [account.id, digest(account.password_hash)]
        token = portal.signer.sign("password reset", content, LIFETIME_S)
        portal.mailer.send(account.email, letters.reset_password(portal.mailer.site, token))
    return MailSent(mailed_to=asked.email)


@router.put("", status_code=204)
async def choose_new_password(
    new: Reset, request: Request, response: Response, portal: InPortal
) -> None:
    """Choose a new password by the link of a mail. Every browser is signed out.

    This one may then sign in whatever attack is under way on the account.
    """
    account_id, before = portal.signer.read("password reset", new.token) or ("", "")
    async with portal.database.read() as session:
        account = await accounts.find(session, account_id)
    if account is None or digest(account.password_hash) != before:
        raise ProblemError(403, EXPIRED)
    async with portal.passwords.turn() as turn:
        await turn.check_new(new.password, account.email, portal.settings)
        password_hash = await turn.hash(new.password)
    async with portal.database.write() as session:
        if not await accounts.set_password(
            session, account.id, account.password_hash, password_hash
        ):
            raise ProblemError(403, EXPIRED)
        await accounts.confirm_email(session, account.id, account.email, portal.now())
        await accounts.close_sessions(session, account.id)
    throttles.remember_device(account.email, request, response, portal)
