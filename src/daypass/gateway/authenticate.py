"""Headers → Principal: who calls, and what claims the call makes."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from daypass import api_keys
from daypass.gateway.errors import GatewayError, invalid_api_key
from daypass.plans import UsagePlan
from daypass.quota.ledger import Claim
from daypass.quota.policy import QuotaPolicy
from daypass.records.api_keys import KeyHolder, find_holder, find_holder_by_id
from daypass.records.database import Database, DatabaseUnavailableError

log = structlog.get_logger()

CACHE_LIFE_S = 0.8
"""Below the second within which a revoked key must be refused everywhere."""
CACHE_SIZE = 100_000

NO_KEY = (
    "You didn't provide an API key. Send it as 'x-api-key: dp_...' or "
    "'Authorization: Bearer dp_...'."
)
BAD_KEY = "Incorrect API key provided: {}. Make one, or look at yours, on this site's keys page."


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated key, with its account and usage plan."""

    api_key_id: str
    account_id: str
    usage_plan: UsagePlan
    claims: tuple[Claim, ...]


class Authenticator:
    """Finds the principal of a request, remembering it for up to a second."""

    def __init__(
        self,
        database: Database,
        policy: QuotaPolicy,
        clock: Callable[[], float],
        *,
        fail_open: bool = False,
    ) -> None:
        """`clock` gives Unix time in seconds.

        With `fail_open` a key that was good when it was last looked up stays good while the
        database is away.
        """
        self._fail_open = fail_open
        self._database = database
        self._policy = policy
        self._clock = clock
        self._cache: dict[str, tuple[float, Principal]] = {}

    async def by_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> Principal:
        """The principal of the API key in `x-api-key` or `Authorization: Bearer`.

        Raises GatewayError: 401 without a valid key, 403 for a disabled account.
        """
        secret = presented_key(headers)
        # Keyed on the digest of the whole key: no two keys share an entry, and no key is
        # kept in memory.
        digest = api_keys.digest(secret)
        now = time.monotonic()
        cached = self._cache.get(digest)
        if cached is not None and now < cached[0]:
            return cached[1]
        try:
            async with self._database.read() as session:
                holder = await find_holder(session, digest)
        except DatabaseUnavailableError as error:
            if cached is None or not self._fail_open:
                raise
            log.warning("key_not_checked", api_key_id=cached[1].api_key_id, reason=str(error))
            return cached[1]
        if holder is None or holder.has_expired(self._clock()):
            raise invalid_api_key(BAD_KEY.format(mask(secret)))
        principal = self._to_principal(holder)
        if len(self._cache) >= CACHE_SIZE:
            self._cache.clear()
        self._cache[digest] = (now + CACHE_LIFE_S, principal)
        return principal

    async def by_id(self, api_key_id: str) -> Principal:
        """The principal of a key that the site's session vouches for. Raises GatewayError."""
        async with self._database.read() as session:
            holder = await find_holder_by_id(session, api_key_id)
        if holder is None:
            raise invalid_api_key("This API key has been deleted.")
        return self._to_principal(holder)

    def forget(self) -> None:
        """Look every key up anew: one was deleted, rotated, moved to another plan or disabled."""
        self._cache.clear()

    def _to_principal(self, holder: KeyHolder) -> Principal:
        if holder.account_disabled:
            message = "Your account has been disabled. Ask the operator of this site."
            raise GatewayError(403, "account_disabled", message)
        plan = self._policy.plans.get(holder.usage_plan_id)
        if plan is None:
            message = (
                f"The usage plan {holder.usage_plan_id} of this API key is no longer offered. "
                "Choose another one on this site's keys page."
            )
            raise GatewayError(403, "usage_plan_retired", message)
        claims = self._policy.claims(holder.account_id, holder.slot, plan)
        return Principal(holder.api_key_id, holder.account_id, plan, claims)


def presented_key(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The well-formed API key that the headers carry. Raises GatewayError 401 otherwise."""
    found: set[bytes] = set()
    for name, value in headers:
        if name == b"x-api-key":
            found.add(value.strip())
        elif name == b"authorization":
            scheme, _, credentials = value.strip().partition(b" ")
            if scheme.lower() == b"bearer":
                found.add(credentials.strip())
    found.discard(b"")
    if not found:
        raise invalid_api_key(NO_KEY)
    if len(found) > 1:
        raise invalid_api_key("Two different API keys were sent in one request: send one.")
    secret = found.pop().decode("latin-1")
    if not api_keys.is_well_formed(secret):
        raise invalid_api_key(BAD_KEY.format(mask(secret)))
    return secret


def mask(secret: str) -> str:
    """A rejected key as its sender may recognise it, and nobody else can use it."""
    recognisable = len(secret) == api_keys.KEY_LENGTH and secret.isascii() and secret.isprintable()
    return f"{secret[:8]}…{secret[-4:]}" if recognisable else "it is not a Daypass key (dp_…)"
