"""The gateway behind AWS API Gateway, which has checked and counted the key and names it.

Its integration adds two headers to every request: a secret, which proves that the request came
through it, and the id of the API key. Both replace any that the client sent.
"""

import hmac
import time
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.site_settings import SiteSettings
from daypass.domain.plans import UsagePlan
from daypass.domain.times import Clock
from daypass.gateway.errors import GatewayError, invalid_api_key
from daypass.gateway.principal import Principal, check_usable, principal_of
from daypass.gateway.response_writer import ResponseWriter
from daypass.http.types import Application, Headers, Receive, Scope, Send
from daypass.quota.policy import QuotaPolicy
from daypass.records.aws_keys import find_holder_by_aws_id
from daypass.records.database import Database
from daypass.records.key_holders import KeyHolder, find_holder_by_id

SECRET_HEADER = b"x-daypass-gateway-secret"
KEY_ID_HEADER = b"x-daypass-api-key-id"

KNOWN_FOR_S = 0.8
"""Less than the second within which a disabled account must be refused everywhere."""
KNOWN_MAX = 100_000

NOT_THROUGH = "Call the API at {}: there your key is checked and counted. Nothing was counted here."
COUNTED_ANYWAY = "API Gateway has counted this call: it gives nothing back."
UNKNOWN = "This API key has been deleted or replaced. Make one, or look at yours, on the keys page."

NO_CEILINGS = QuotaPolicy({})


class ApiGatewayGuard:
    """Passes requests that came through API Gateway on to the gateway, and refuses all others."""

    def __init__(self, gateway: Application, secret: str, base_url: str) -> None:
        """`base_url` is the address that clients should call."""
        self._gateway = gateway
        self._secret = secret.encode()
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it with 403."""
        if self._came_through(scope):
            await self._gateway(scope, receive, send)
            return
        message = NOT_THROUGH.format(self._base_url)
        await ResponseWriter(send).refuse(GatewayError(403, "not_through_api_gateway", message))

    def _came_through(self, scope: Scope) -> bool:
        """Check that each header is there once: a second one could be the client's."""
        secrets = []
        key_ids = []
        for name, value in scope["headers"]:
            if name == SECRET_HEADER:
                secrets.append(value)
            elif name == KEY_ID_HEADER:
                key_ids.append(value)
        is_known = len(secrets) == 1 and hmac.compare_digest(secrets[0], self._secret)
        return is_known and len(key_ids) == 1 and key_ids[0] != b""


class ApiGatewayAuthenticator:
    """Resolves the key that API Gateway names to its principal."""

    def __init__(
        self,
        database: Database,
        plan_of: Callable[[str], UsagePlan],
        read_settings: Callable[[AsyncSession], Awaitable[SiteSettings]],
        clock: Clock,
    ) -> None:
        """`plan_of` returns a usage plan by its id, `clock` Unix time in seconds.

        `read_settings` returns the settings in force.
        """
        self._database = database
        self._plan_of = plan_of
        self._read_settings = read_settings
        self._clock = clock
        self._known: dict[bytes, tuple[float, Principal]] = {}

    def start(self) -> None:
        """Do nothing: keys are looked up for each request."""

    async def close(self) -> None:
        """Do nothing."""

    async def by_headers(self, headers: Headers) -> Principal:
        """Return the principal of a request that has passed ApiGatewayGuard.

        Raises GatewayError: 401 for an unknown or expired key, 403 for a disabled account or a
        paused key.
        """
        key_id = next((value for name, value in headers if name == KEY_ID_HEADER), b"")
        now = time.monotonic()
        known = self._known.get(key_id)
        if known is not None and now < known[0]:
            check_usable(known[1], self._clock)
            return known[1]
        async with self._database.read() as session:
            holder = await find_holder_by_aws_id(session, key_id.decode("latin-1"))
            site = await self._read_settings(session)
        principal = self._to_principal(holder, site)
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[key_id] = (now + KNOWN_FOR_S, principal)
        check_usable(principal, self._clock)
        return principal

    async def by_id(self, api_key_id: str) -> Principal:
        """Return the principal of a key by its Daypass id. Raises GatewayError."""
        async with self._database.read() as session:
            holder = await find_holder_by_id(session, api_key_id)
            principal = self._to_principal(holder, await self._read_settings(session))
        check_usable(principal, self._clock)
        return principal

    def invalidate(self) -> None:
        """Drop the cache."""
        self._known.clear()

    def _to_principal(self, holder: KeyHolder | None, site: SiteSettings) -> Principal:
        if holder is None:
            raise invalid_api_key(UNKNOWN)
        if holder.account_disabled:
            message = "Your account has been disabled. Ask the operator of this site."
            raise GatewayError(403, "account_disabled", message)
        plan = self._plan_of(holder.usage_plan_id)
        claims = NO_CEILINGS.claims(holder.account_id, holder.slot, plan)
        return principal_of(holder, plan, claims, is_site_paused=site.paused)
