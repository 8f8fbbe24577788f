"""/api/confirmations: that an e-mail address is somebody's, by a link in a mail to it."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from daypass.portal import admission, throttles
from daypass.portal.accounts import TAKEN, MailSent, send_confirmation
from daypass.portal.context import InPortal, Portal, SignedIn
from daypass.portal.problems import ProblemError
from daypass.records import accounts, sign_ups

EXPIRED = (
    "This link has expired or was used before. Sign in, or sign up again, to have a new one sent."
)
NO_MAIL = "This site sends no mails. Ask its operator."

router = APIRouter(prefix="/confirmations", tags=["accounts"])


class Confirmation(BaseModel):
    """The token of the link."""

    token: str = Field(max_length=500)


class Confirmed(BaseModel):
    """What the link did: it made an account, or confirmed the address of one."""

    email: str
    made: Literal["account", "address"]


@router.post("", status_code=202)
async def send_confirmation_again(
    request: Request, account: SignedIn, portal: InPortal
) -> MailSent:
    """Send the link for one's own address, again if need be."""
    if portal.mailer is None:
        raise ProblemError(409, NO_MAIL)
    if account.email_confirmed:
        raise ProblemError(409, "Your address is confirmed already.")
    await throttles.admit_mail(account.email, request, portal)
    send_confirmation(account, portal, portal.mailer)
    return MailSent(mailed_to=account.email)


@router.put("")
async def confirm_address(confirmation: Confirmation, portal: InPortal) -> Confirmed:
    """Open the link of a mail. It signs nobody in: anybody may have sent it to him."""
    sign_up_id = portal.signer.read("sign-up", confirmation.token)
    if sign_up_id is not None:
        return await _make_account(sign_up_id, portal)
    confirmed = portal.signer.read("address", confirmation.token)
    if confirmed is None:
        raise ProblemError(403, EXPIRED)
    account_id, email = confirmed
    async with portal.database.write() as session:
        if not await accounts.confirm_email(session, account_id, email, portal.now()):
            raise ProblemError(403, EXPIRED)
    return Confirmed(email=email, made="address")


async def _make_account(sign_up_id: str, portal: Portal) -> Confirmed:
    try:
        async with portal.database.write() as session:
            row = await sign_ups.take(session, sign_up_id, portal.now())
            if row is None:
                raise ProblemError(403, EXPIRED)
            await admission.admit(session, row.email, row.invitation, portal)
            await accounts.create(
                session, row.email, row.password_hash, portal.now(), confirmed=True
            )
    except accounts.EmailTakenError:
        raise ProblemError(409, TAKEN) from None
    return Confirmed(email=row.email, made="account")
