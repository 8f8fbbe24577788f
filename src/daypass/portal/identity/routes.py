"""/api/session/oidc: sign in with another site."""

from typing import Annotated, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from daypass.portal import admission, terms, throttles
from daypass.portal.context import InPortal, Portal, account_of, cookie_name, is_https
from daypass.portal.identity.provider import Handshake, Identity, IdentityError, Reason
from daypass.portal.problems import ProblemError
from daypass.portal.sessions import open_session
from daypass.portal.sign_up import check_email
from daypass.portal.terms import AcceptedTerms
from daypass.records import accounts, identities
from daypass.records.tables import Account

COOKIE = "daypass_oidc"
PURPOSE = "sign-in elsewhere, with terms"
LIFETIME_S = 600
CALLBACK = "/api/session/oidc/callback"
START = "/keys/"

router = APIRouter(prefix="/session/oidc", tags=["session"])


# A path on this site. Browsers take `//host` and `/\host` for another host.
Path = Annotated[str, Field(max_length=500, pattern=r"^/([^/\\\x00-\x20][^\\\x00-\x20]*)?$")]


class Departure(BaseModel):
    """The page to open after sign-in, and what a new account needs."""

    next: Path = START
    invitation: str | None = Field(default=None, max_length=80)
    accepted_terms: AcceptedTerms = None


class NewPerson(NamedTuple):
    """What an identity needs if it has no account yet."""

    invitation: str | None
    accepted_terms: str | None


class Destination(BaseModel):
    """The URL to open."""

    url: str


@router.post("")
async def sign_in_elsewhere(
    departure: Departure, request: Request, response: Response, portal: InPortal
) -> Destination:
    """Start a sign-in with the identity provider. The browser then opens `url`."""
    if portal.identity_provider is None:
        raise ProblemError(409, "Sign-in with another site is not set up: see DAYPASS_OIDC_ISSUER.")
    handshake = Handshake.new()
    try:
        url = await portal.identity_provider.address(handshake)
    except IdentityError:
        name = portal.settings.sign_in_with
        raise ProblemError(502, f"{name} is not responding right now. Try again later.") from None
    secure = is_https(request, portal)
    content = [*handshake, departure.next, departure.invitation, departure.accepted_terms]
    response.set_cookie(
        cookie_name(COOKIE, secure=secure),
        portal.signer.sign(PURPOSE, content, LIFETIME_S),
        max_age=LIFETIME_S,
        path="/",
        secure=secure,
        httponly=True,
        # Lax, not strict: the callback is a navigation from another site.
        samesite="lax",
    )
    return Destination(url=url)


@router.get("/callback", include_in_schema=False)
async def come_back(
    request: Request,
    portal: InPortal,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Complete a sign-in. Always redirects to one of the site's pages, also on errors."""
    secure = is_https(request, portal)
    name = cookie_name(COOKIE, secure=secure)
    kept = portal.signer.read(PURPOSE, request.cookies.get(name, ""))
    try:
        if kept is None or portal.identity_provider is None or kept[0] != state:
            raise IdentityError("state")
        if error or not code:
            raise IdentityError("cancelled" if error == "access_denied" else "provider")
        *handshake, next_path, invitation, accepted_terms = kept
        identity = await portal.identity_provider.identify(code, Handshake(*handshake))
        response: Response = RedirectResponse(next_path, 303)
        new = NewPerson(invitation, accepted_terms)
        await _sign_in(identity, new, request, response, portal)
    except IdentityError as refused:
        response = _to_sign_in(refused.reason)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
    response.headers["cache-control"] = "no-store"
    return response


def _to_sign_in(reason: Reason) -> Response:
    return RedirectResponse(f"/sign-in/?{urlencode({'problem': reason})}", 303)


async def _sign_in(
    identity: Identity,
    new: NewPerson,
    request: Request,
    response: Response,
    portal: Portal,
) -> None:
    """Open a session for a verified identity. Raises IdentityError."""
    async with portal.database.read() as session:
        account = await identities.find_account(session, identity.issuer, identity.subject)
    if account is None:
        await _link(identity, new, request, response, portal)
        return
    _check_enabled(account)
    async with portal.database.write() as session:
        await open_session(session, account, request, response, portal)


def _check_enabled(account: Account) -> None:
    if account.disabled_at is not None:
        raise IdentityError("disabled")


async def _link(
    identity: Identity,
    new: NewPerson,
    request: Request,
    response: Response,
    portal: Portal,
) -> None:
    """Link an identity to the account with its address, or to a new one, and open a session.

    The provider must have verified the address. An existing account must provably belong to the
    same person: its address is confirmed, or this browser is signed in to it. Otherwise a stranger
    may have signed up with the address first ("Pre-hijacked accounts", Sudhodanan and Paverd,
    USENIX Security 2022). Raises IdentityError.
    """
    try:
        email = check_email(identity.email or "")
    except ValueError:
        raise IdentityError("unverified") from None
    here = await account_of(request, portal)
    async with portal.database.read() as session:
        account = await accounts.find_by_email(session, email)
    if account is None:
        await _admit_sign_up(request, portal)
    elif not account.email_confirmed and (here is None or here.id != account.id):
        raise IdentityError("email_taken")
    now = portal.now()
    try:
        async with portal.database.write() as session:
            if account is None:
                await admission.admit(session, email, new.invitation, portal)
                await terms.check(session, new.accepted_terms, portal)
                account = await portal.create_account(
                    session, email, accounts.NO_PASSWORD, confirmed=True
                )
                await terms.record(session, account, new.accepted_terms, portal)
            await accounts.confirm_email(session, account.id, account.email, now)
            await identities.link(session, identity.issuer, identity.subject, account.id, now)
            _check_enabled(account)
            await open_session(session, account, request, response, portal)
    except accounts.EmailTakenError:
        raise IdentityError("email_taken") from None
    except admission.NotAdmittedError as error:
        raise IdentityError(error.reason) from None
    except terms.NotAcceptedError:
        raise IdentityError("terms") from None


async def _admit_sign_up(request: Request, portal: Portal) -> None:
    try:
        await throttles.admit_sign_up(request, portal)
    except ProblemError:
        raise IdentityError("throttled") from None
