"""/api/password-resets: reset a password with a link.

The link is sent to the account's address, or an operator hands it over. Only the former proves
that the person owns the address.
"""

from typing import NamedTuple

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.times import DAY_S
from daypass.portal import mail_limits, throttles
from daypass.portal.account_settings import delete_keys
from daypass.portal.confirmations import NO_MAIL
from daypass.portal.context import InPortal
from daypass.portal.outbox import Kind
from daypass.portal.passwords import NewPassword
from daypass.portal.problems import ProblemError
from daypass.portal.sign_up import EmailAddress, MailSent
from daypass.portal.signer import Signer
from daypass.records import accounts, operators
from daypass.records.identifiers import digest
from daypass.records.tables import Account

KIND: Kind = "password-reset"
HANDED_OVER = "password reset handed over"
"""The purpose of tokens in links that are handed over."""
LINK_LIFETIME_S = DAY_S
"""Seconds for which a link that is handed over works."""

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
    """Choose a new password with a link. Every browser is signed out.

    This browser may then sign in even while an attack exhausts the account's sign-in limits. If
    the link was mailed to an address that was never confirmed, a stranger may have created the
    account, so its API keys are deleted.
    """
    link = _read(new.token, portal.signer)
    async with portal.database.read() as session:
        account = await _account_to_reset(session, link)
    async with portal.passwords.turn(account.id) as turn:
        await turn.check_new(new.password, account.email, portal.settings)
        password_hash = await turn.hash(new.password)

    async def change(session: AsyncSession) -> None:
        await _account_to_reset(session, link)
        if not await accounts.set_password(
            session, account.id, account.password_hash, password_hash
        ):
            raise ProblemError(403, EXPIRED)
        if link.was_mailed:
            await accounts.confirm_email(session, account.id, account.email, portal.now())
        await accounts.close_sessions(session, account.id)
        await mail_limits.reset(session, KIND, account.email)

    if account.email_confirmed or not link.was_mailed:
        async with portal.database.write() as session:
            await change(session)
    else:
        await delete_keys(account.id, portal, change)
    throttles.remember_device(account.email, request, response, portal)


def link_to_hand_over(site: str, signer: Signer, account: Account, issuer: str | None) -> str:
    """Return a link with which a person chooses a new password. It works once, within a day.

    `issuer` is the id of the operator who hands it over, or None on the command line. It includes
    a digest of the password hash, so a password change invalidates it.
    """
    content = [account.id, digest(account.password_hash), issuer]
    return f"{site}/reset-password/#token={signer.sign(HANDED_OVER, content, LINK_LIFETIME_S)}"


class _Link(NamedTuple):
    """What a link's token says."""

    account_id: str
    password: str
    """A digest of the password hash at the time."""
    issuer: str | None = None
    was_mailed: bool = False


def _read(token: str, signer: Signer) -> _Link:
    mailed = signer.read("password reset", token)
    if mailed is not None:
        account_id, password = mailed
        return _Link(account_id, password, was_mailed=True)
    handed_over = signer.read(HANDED_OVER, token)
    if handed_over is None:
        raise ProblemError(403, EXPIRED)
    return _Link(*handed_over)


async def _account_to_reset(session: AsyncSession, link: _Link) -> Account:
    """Return the account whose password a link resets. Raises ProblemError 403."""
    account = await accounts.find(session, link.account_id)
    if account is None or digest(account.password_hash) != link.password:
        raise ProblemError(403, EXPIRED)
    if link.was_mailed and not _may_reset(account):
        raise ProblemError(403, OPERATORS)
    if link.issuer is not None:
        issuer = await accounts.find(session, link.issuer)
        if issuer is None or not operators.is_active(issuer):
            raise ProblemError(403, EXPIRED)
        if operators.is_other_operator(account, issuer.id):
            raise ProblemError(403, EXPIRED)
    return account


def _may_reset(account: Account) -> bool:
    """Return whether the mailbox proves ownership: an operator's address may be mistyped."""
    return account.email_confirmed or account.role != accounts.OPERATOR
