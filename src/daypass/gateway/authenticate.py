"""Authentication: resolves an API key to its principal and quota claims."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.background import end
from daypass.domain import key_format
from daypass.domain.times import Clock
from daypass.gateway.errors import GatewayError, invalid_api_key
from daypass.gateway.principal import Principal, check_usable, principal_of
from daypass.http.types import Headers
from daypass.quota.policy import QuotaPolicy
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.key_holders import KeyHolder, find_holder, find_holder_by_id, key_revision

log = structlog.get_logger()

FRESH_S = 0.9
"""How long cached keys stay valid, in seconds. Less than the one second within which every process
must refuse a revoked key."""
WATCH_EVERY_S = 0.4
KNOWN_MAX = 100_000

KEY_HEADERS = frozenset({b"x-api-key", b"api-key"})
"""Azure OpenAI clients send `api-key`."""

NO_KEY = (
    "You didn't provide an API key. Send it as 'x-api-key: dp_...', 'api-key: dp_...' or "
    "'Authorization: Bearer dp_...'."
)
BAD_KEY = "Incorrect API key provided: {}. Make one, or look at yours, on this site's keys page."


class Authenticator(Protocol):
    """Resolves API keys to principals, and caches them until they are invalidated."""

    def start(self) -> None:
        """Begin to watch for changes in the background."""

    async def close(self) -> None:
        """Stop watching."""

    async def by_headers(self, headers: Headers) -> Principal:
        """Return the principal of a request. Raises GatewayError 401 or 403."""

    async def by_id(self, api_key_id: str) -> Principal:
        """Return the principal of a key, given its id. Raises GatewayError 401 or 403."""

    def invalidate(self) -> None:
        """Drop the cache: a key was deleted, rotated or disabled, or a plan changed."""


class DatabaseAuthenticator:
    """Looks up principals in the database and caches them until any key changes.

    Polls `key_revision` a few times a second to detect changes. When a poll fails, the cache
    expires and each request is looked up.
    """

    def __init__(
        self,
        database: Database,
        read_policy: Callable[[AsyncSession], Awaitable[QuotaPolicy]],
        clock: Clock,
        *,
        fail_open: bool = False,
    ) -> None:
        """Create an authenticator. `clock` returns Unix time in seconds.

        `read_policy` returns the plans and ceilings in force.

        With `fail_open`, a key that was valid at its last lookup stays valid while the database
        is unavailable.
        """
        self._fail_open = fail_open
        self._database = database
        self._read_policy = read_policy
        self._clock = clock
        # Keyed by the digest of the whole key: keys never share an entry or stay in memory.
        self._known: dict[str, Principal] = {}
        self._looking: dict[str, asyncio.Task[Principal | None]] = {}
        self._revision = 0
        self._fresh_until = 0.0
        self._forgotten = 0
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch for changes in the background."""
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop watching."""
        tasks = [*self._looking.values(), *([self._watching] if self._watching else [])]
        await end(tasks)

    async def by_headers(self, headers: Headers) -> Principal:
        """Return the principal of the API key in the headers.

        Raises GatewayError: 401 without a valid key, 403 for a disabled account.
        """
        secret = presented_key(headers)
        digest = key_format.digest(secret)
        principal = self._known.get(digest)
        if principal is None or time.monotonic() > self._fresh_until:
            principal = await self._look_up_once(secret, digest)
        if principal is None or (
            principal.expires_at is not None and principal.expires_at <= self._clock()
        ):
            raise invalid_api_key(BAD_KEY.format(mask(secret)))
        check_usable(principal, self._clock)
        return principal

    async def by_id(self, api_key_id: str) -> Principal:
        """Return the principal of a key by id, for a session that owns it. Raises GatewayError."""
        async with self._database.read() as session:
            holder = await find_holder_by_id(session, api_key_id)
            policy = await self._read_policy(session)
        if holder is None:
            raise invalid_api_key("This API key has been deleted.")
        principal = _to_principal(holder, policy)
        check_usable(principal, self._clock)
        return principal

    def invalidate(self) -> None:
        """Drop the cache: a key was deleted, rotated or disabled, or a plan changed."""
        self._forgotten += 1
        self._known.clear()
        self._looking.clear()

    async def _look_up_once(self, secret: str, digest: str) -> Principal | None:
        """Look up a key; concurrent requests for the same key share one lookup."""
        if not key_format.is_well_formed(secret):
            return None
        looking = self._looking.get(digest)
        if looking is None:
            looking = self._looking[digest] = asyncio.create_task(self._look_up(digest))
        try:
            # Cancelling one request must not cancel the lookup that others wait for.
            return await asyncio.shield(looking)
        except DatabaseUnavailableError as error:
            known = self._known.get(digest)
            if known is None or not self._fail_open:
                raise
            log.warning("key_not_checked", api_key_id=known.api_key_id, reason=str(error))
            return known
        finally:
            if self._looking.get(digest) is looking:
                del self._looking[digest]

    async def _look_up(self, digest: str) -> Principal | None:
        began = self._forgotten
        async with self._database.read() as session:
            holder = await find_holder(session, digest)
            policy = await self._read_policy(session)
        if holder is None:
            self._known.pop(digest, None)
            return None
        principal = _to_principal(holder, policy)
        # Do not cache a result that may predate a change made during the lookup.
        if began == self._forgotten:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[digest] = principal
        return principal

    async def _watch(self) -> None:
        while True:
            asked_at = time.monotonic()
            with contextlib.suppress(DatabaseUnavailableError):
                async with self._database.read() as session:
                    revision = await key_revision(session)
                if revision != self._revision:
                    self._revision = revision
                    self.invalidate()
                self._fresh_until = asked_at + FRESH_S
            await asyncio.sleep(WATCH_EVERY_S)


def _to_principal(holder: KeyHolder, policy: QuotaPolicy) -> Principal:
    if holder.account_disabled:
        message = "Your account has been disabled. Ask the operator of this site."
        raise GatewayError(403, "account_disabled", message)
    plan = policy.plans.get(holder.usage_plan_id)
    if plan is None:
        message = (
            f"The usage plan {holder.usage_plan_id} of this API key is no longer offered. "
            "Choose another one on this site's keys page."
        )
        raise GatewayError(403, "usage_plan_retired", message)
    claims = policy.claims(holder.account_id, holder.slot, plan, holder.account_plan_ids)
    give_backs = policy.give_backs_claim(holder.account_id, plan, holder.account_plan_ids)
    return principal_of(holder, plan, claims, give_backs, is_site_paused=policy.is_paused)


def presented_key(headers: Headers) -> str:
    """Return the API key in the headers. Raises GatewayError 401 unless there is exactly one.

    Reads `x-api-key`, `api-key` and `Authorization: Bearer`. If one of the first two is present,
    a Bearer token that is not a Daypass key is ignored, because some clients always send one.
    """
    secrets = set()
    bearers = set()
    for name, value in headers:
        if name in KEY_HEADERS:
            secrets.add(value.strip())
        elif name == b"authorization":
            scheme, _, credentials = value.strip().partition(b" ")
            if scheme.lower() == b"bearer":
                bearers.add(credentials.strip())
    secrets.discard(b"")
    bearers.discard(b"")
    if secrets:
        bearers = {x for x in bearers if x.startswith(key_format.PREFIX.encode())}
    secrets |= bearers
    if len(secrets) > 1:
        raise invalid_api_key("Two different API keys were sent in one request: send one.")
    if not secrets:
        raise invalid_api_key(NO_KEY)
    return secrets.pop().decode("latin-1")


def mask(secret: str) -> str:
    """Mask a rejected key: its owner can recognise it, but no one can use it."""
    recognisable = (
        len(secret) == key_format.KEY_LENGTH and secret.isascii() and secret.isprintable()
    )
    return f"{secret[:8]}…{secret[-4:]}" if recognisable else "it is not a Daypass key (dp_…)"
