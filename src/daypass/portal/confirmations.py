"""/api/confirmations: confirm an e-mail address with a link sent to it.

Anyone can sign up with another person's address. Therefore the person who opens the link chooses
the password, replacing any earlier one. An account that existed before its address was confirmed
stays unchanged only if the browser is signed in to it ("Pre-hijacked accounts", Sudhodanan and
Paverd, USENIX Security 2022).
"""

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.portal import admission, mail_limits, terms, throttles
from daypass.portal.account_settings import delete_keys
from daypass.portal.context import InPortal, Portal, SignedIn, account_of
from daypass.portal.passwords import NewPassword
from daypass.portal.problems import ProblemError
from daypass.portal.sessions import open_session
from daypass.portal.sign_up import MailSent, hash_new_password
from daypass.portal.terms import AcceptedTerms
from daypass.records import accounts, sign_ups
from daypass.records.tables import Account, SignUp

EXPIRED = "This link has expired. Sign in, or sign up again, to get a new one."
USED = (
    "This link has been used, and the account exists. Sign in with your password, "
    'or choose a new one under "Forgot your password?".'
)
NO_MAIL = "This site does not send e-mail. Ask its operator."
OPERATORS = (
    "This address belongs to an operator's account. Sign in to it in this browser, then open the "
    "link again."
)
DISABLED = "This account has been disabled. Ask the operator of this site."

router = APIRouter(prefix="/confirmations", tags=["accounts"])


class LinkToken(BaseModel):
    """The token from the link."""

    token: str = Field(max_length=1000)


class Confirmation(LinkToken):
    """The token from the link, and the password chosen by the person who opened it."""

    password: NewPassword | None = Field(
        default=None, description="Required unless this browser is signed in to the account"
    )
    accepted_terms: AcceptedTerms = None


class Link(BaseModel):
    """What a link does: create an account, or confirm the address of an existing one."""

    email: str
    makes: Literal["account", "address"]
    needs_password: bool = Field(
        description="Whether a password must be chosen. On an existing account, this ends every "
        "session and deletes the API keys"
    )


class Confirmed(BaseModel):
    """What the link did. The browser is now signed in to the account."""

    email: str
    made: Literal["account", "address"]


@router.post("", status_code=202)
async def send_confirmation_again(
    request: Request, account: SignedIn, portal: InPortal
) -> MailSent:
    """Send the confirmation link for your own address again."""
    if portal.outbox is None:
        raise ProblemError(409, NO_MAIL)
    if account.email_confirmed:
        raise ProblemError(409, "Your address is already confirmed.")
    await throttles.admit_mail(request, portal)
    async with portal.database.write() as session:
        if await mail_limits.take(session, "address", account.email, portal.clock()):
            await portal.outbox.add(session, "address", account.email, account.id)
    return MailSent(mailed_to=account.email)


@router.post("/preview")
async def look_at_link(link: LinkToken, request: Request, portal: InPortal) -> Link:
    """Describe what a link does, without doing it: mail scanners open links, too."""
    return (await _read(link.token, request, portal))[0]


@router.put("")
async def confirm_address(
    confirmation: Confirmation, request: Request, response: Response, portal: InPortal
) -> Confirmed:
    """Create the account or confirm its address, and sign in."""
    link, account = await _read(confirmation.token, request, portal)
    if not link.needs_password and account is not None:
        async with portal.database.write() as session:
            await accounts.confirm_email(session, account.id, account.email, portal.now())
        return Confirmed(email=link.email, made="address")
    if account is None:
        async with portal.database.read() as session:
            await terms.check(session, confirmation.accepted_terms, portal)
    async with portal.passwords.turn(link.email) as turn:
        password_hash = await hash_new_password(confirmation.password, link.email, portal, turn)
    if account is None:
        async with portal.database.write() as session:
            account = await _create(session, link.email, password_hash, portal)
            await terms.record(session, account, confirmation.accepted_terms, portal)
            await open_session(session, account, request, response, portal)
    else:
        claimed = account

        async def claim(session: AsyncSession) -> None:
            await _claim(session, claimed, password_hash, portal)
            await open_session(session, claimed, request, response, portal)

        await delete_keys(account.id, portal, claim)
    throttles.remember_device(account.email, request, response, portal)
    return Confirmed(email=link.email, made=link.makes)


async def _read(token: str, request: Request, portal: Portal) -> tuple[Link, Account | None]:
    """Return what a link does and its account, if any. Raises 403, or 409 for a used link."""
    email = portal.signer.read("sign-up", token)
    if email is not None:
        async with portal.database.read() as session:
            if await accounts.is_taken(session, email):
                raise ProblemError(409, USED)
            if not await sign_ups.pending(session, email, portal.now()):
                raise ProblemError(403, EXPIRED)
        return Link(email=email, makes="account", needs_password=True), None
    account_id, email = portal.signer.read("address", token) or ("", "")
    async with portal.database.read() as session:
        account = await accounts.find(session, account_id)
    if account is None or account.email != email:
        raise ProblemError(403, EXPIRED)
    if account.disabled_at is not None:
        raise ProblemError(403, DISABLED)
    here = await account_of(request, portal)
    is_own = here is not None and here.id == account.id
    if account.email_confirmed and not is_own:
        raise ProblemError(409, USED)
    if account.role == accounts.OPERATOR and not is_own:
        # The set-up link or the command line created this account, so its owner is legitimate.
        # But the address may be mistyped, and the mail may have reached a stranger.
        raise ProblemError(403, OPERATORS)
    return Link(email=email, makes="address", needs_password=not is_own), account


async def _create(session: AsyncSession, email: str, password_hash: str, portal: Portal) -> Account:
    waiting = await sign_ups.take(session, email, portal.now())
    if not waiting:
        # Two browsers may open the link at once.
        is_taken = await accounts.is_taken(session, email)
        raise ProblemError(409, USED) if is_taken else ProblemError(403, EXPIRED)
    await _admit_one(session, waiting, portal)
    try:
        account = await portal.create_account(session, email, password_hash, confirmed=True)
    except accounts.EmailTakenError:
        raise ProblemError(409, USED) from None
    await mail_limits.reset(session, "sign-up", email)
    return account


async def _admit_one(session: AsyncSession, waiting: Sequence[SignUp], portal: Portal) -> None:
    """Admit the newest admissible sign-up: strangers may have started others for the address."""
    for row in waiting[:-1]:
        try:
            return await admission.admit(session, row.email, row.invitation, portal)
        except admission.NotAdmittedError:
            continue
    return await admission.admit(session, waiting[-1].email, waiting[-1].invitation, portal)


async def _claim(
    session: AsyncSession, account: Account, password_hash: str, portal: Portal
) -> None:
    if not await accounts.claim(session, account.id, account.email, password_hash, portal.now()):
        raise ProblemError(409, USED)
    account.password_hash = password_hash
