"""The portal's dependencies, and authentication of its requests."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import ASGIApp

from daypass.config.settings import Settings
from daypass.config.site_settings import SiteSettings
from daypass.domain.times import Clock
from daypass.enforcement.base import Enforcer
from daypass.observability.upstream_metrics import UpstreamNumbers
from daypass.portal import admin_access
from daypass.portal.client_address import Caller, caller_of
from daypass.portal.identity.provider import IdentityProvider
from daypass.portal.live_feed import LiveFeed
from daypass.portal.outbox import Outbox
from daypass.portal.passwords import Passwords
from daypass.portal.problems import ProblemError
from daypass.portal.readiness import Readiness
from daypass.portal.signer import Signer
from daypass.quota.ledger import Ledger
from daypass.quota.policy import QuotaPolicy
from daypass.records import accounts, departures, site_settings
from daypass.records.audit import Actor
from daypass.records.database import Database
from daypass.records.tables import Account
from daypass.upstreams.current import CurrentUpstreams
from daypass.upstreams.refusals import LastRefusal

COOKIE = "daypass_session"
TERMS_NOT_ACCEPTED = (
    "This site has new terms. Reload the page and accept them to go on. Your API keys keep working."
)


@dataclass(frozen=True, slots=True)
class Portal:
    """What the portal's routers need from the rest of Daypass; `app.py` builds it."""

    settings: Settings
    database: Database
    ledger: Ledger
    enforcer: Enforcer
    gateway_base_url: str | None
    """The gateway's base URL for clients; None for this site's own address."""
    clock: Clock
    """Unix time in seconds."""
    signer: Signer
    passwords: Passwords
    outbox: Outbox | None
    """None if the site does not send e-mail."""
    identity_provider: IdentityProvider | None
    serve_chat: Callable[[str, bytes], ASGIApp]
    """Maps an API key's id and a chat request to the ASGI application that serves it."""
    list_models: Callable[[], Awaitable[list[str]]]
    write_usage: Callable[[], Awaitable[None]]
    """Write the usage buffered in this process. Call it before reading usage."""
    readiness: Readiness
    metrics: Callable[[], tuple[bytes, str]]
    """Returns all metrics in Prometheus' text format, and the content type."""
    last_refusal: LastRefusal
    upstreams: CurrentUpstreams
    reload_upstreams: Callable[[], Awaitable[None]]
    """Read the upstreams again after a change. Other processes follow within a second."""
    upstream_numbers: Callable[[], Mapping[str, UpstreamNumbers]]
    """Returns what all processes of this machine have seen of each upstream, by name."""
    live: LiveFeed

    async def policy(self) -> QuotaPolicy:
        """Return the plans and ceilings currently in force."""
        return await self.enforcer.policy()

    async def site_settings(self, session: AsyncSession) -> SiteSettings:
        """Return the settings in force that operators can change on the site."""
        return await site_settings.read(session, self.settings)

    async def create_account(
        self,
        session: AsyncSession,
        email: str,
        password_hash: str,
        *,
        role: str = accounts.MEMBER,
        confirmed: bool = False,
    ) -> Account:
        """Create an account. An address whose account was deleted recently gets its old id.

        Raises EmailTakenError. The arguments are those of `accounts.create`.
        """
        account_id = await departures.former_id(session, email, self.signer.keys)
        return await accounts.create(
            session,
            email,
            password_hash,
            self.now(),
            role=role,
            confirmed=confirmed,
            account_id=account_id,
        )

    async def remove_account(self, session: AsyncSession, account: Account) -> None:
        """Delete an account and its personal data."""
        await departures.remove(session, account, self.signer.keys[0], self.now())

    def now(self) -> int:
        """Return the Unix time in whole seconds."""
        return int(self.clock())


def portal_of(request: Request) -> Portal:
    """Return the portal that serves this request."""
    portal: Portal = request.app.state.portal
    return portal


InPortal = Annotated[Portal, Depends(portal_of)]


def caller(request: Request, portal: Portal) -> Caller:
    """Return the client of a request, seen through the trusted proxies of the settings."""
    return caller_of(request, portal.settings.trusted_proxies)


def is_https(request: Request, portal: Portal) -> bool:
    """Return whether the browser uses https for this site."""
    public_url = portal.settings.public_url
    scheme = urlsplit(public_url).scheme if public_url else caller(request, portal).scheme
    return scheme == "https"


def site_address(request: Request, portal: Portal) -> str:
    """Return this site's address, without a slash: `DAYPASS_PUBLIC_URL`, or the one requested."""
    public_url = portal.settings.public_url
    if public_url:
        return public_url.rstrip("/")
    scheme = "https" if is_https(request, portal) else "http"
    return f"{scheme}://{request.url.netloc}"


def cookie_name(name: str, *, secure: bool) -> str:
    """Return a cookie's name. Browsers accept `__Host-` cookies only from the host itself."""
    return f"__Host-{name}" if secure else name


def session_token(request: Request, portal: Portal) -> str | None:
    """Return the session cookie's token. On https, ignore a cookie without `__Host-`."""
    return request.cookies.get(cookie_name(COOKIE, secure=is_https(request, portal)))


async def account_of(request: Request, portal: Portal) -> Account | None:
    """Return the account of the session cookie, if any."""
    token = session_token(request, portal)
    if not token:
        return None
    async with portal.database.read() as session:
        return await accounts.find_by_session(session, token, portal.now())


async def signed_in_before_terms(request: Request, portal: InPortal) -> Account:
    """Return the signed-in account. Raises 401 without one, 403 if it is disabled.

    For what people may do before they accept the site's terms. Other routes take `SignedIn`.
    """
    account = await account_of(request, portal)
    if account is None:
        raise ProblemError(401, "You are not signed in, or your session has ended. Sign in first.")
    if account.disabled_at is not None:
        raise ProblemError(403, "Your account has been disabled. Ask the operator of this site.")
    return account


SignedInBeforeTerms = Annotated[Account, Depends(signed_in_before_terms)]


async def signed_in(account: SignedInBeforeTerms, portal: InPortal) -> Account:
    """Return the signed-in account. Also raises 403 if it has not accepted the site's terms.

    Operators need not accept them: they write them.
    """
    if account.role == accounts.OPERATOR:
        return account
    async with portal.database.read() as session:
        terms = (await portal.site_settings(session)).terms
    if terms is not None and account.accepted_terms != terms.version:
        raise ProblemError(403, TERMS_NOT_ACCEPTED)
    return account


SignedIn = Annotated[Account, Depends(signed_in)]


async def operator(request: Request, portal: InPortal) -> Actor:
    """Return the operator: of the admin token if there is one, otherwise the signed-in one.

    Raises 401 or 403 for anyone else. A wrong token is refused, whatever cookie comes with it.
    """
    admin_access.refuse_token_in_query(request)
    token = admin_access.bearer_token(request)
    if token is not None:
        network = caller(request, portal).network
        now_ms = int(portal.clock() * 1000)
        return await admin_access.authenticate(request, portal.database, token, network, now_ms)
    await same_origin(request, portal)
    account = await signed_in_before_terms(request, portal)
    if account.role != accounts.OPERATOR:
        raise ProblemError(403, "Only operators of this site may do this.")
    return Actor(account.id, account.email)


Operator = Annotated[Actor, Depends(operator)]


async def same_origin(request: Request, portal: InPortal) -> None:
    """Refuse a state-changing request that may be a cross-site request forgery. Raises 403.

    `Origin` (RFC 6454) decides if present, otherwise `Sec-Fetch-Site` (W3C Fetch Metadata). A
    request with a session cookie and neither header is refused.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("origin")
    allowed = origin is not None and _is_own_origin(origin, request, portal.settings)
    if not allowed and origin is None:
        site = request.headers.get("sec-fetch-site")
        allowed = site == "same-origin" or (site is None and session_token(request, portal) is None)
    if not allowed:
        raise ProblemError(
            403,
            "This request did not come from this site. It needs an Origin header with this site's "
            "address (or Sec-Fetch-Site: same-origin), which browsers send automatically.",
        )


def _is_own_origin(origin: str, request: Request, settings: Settings) -> bool:
    if origin in settings.cors_origins:
        return True
    if settings.public_url:
        parts = urlsplit(settings.public_url)
        return origin == f"{parts.scheme}://{parts.netloc}"
    # A proxy may terminate TLS, so the host must match but the scheme may be either.
    host = request.headers.get("host")
    return origin in (f"http://{host}", f"https://{host}")
