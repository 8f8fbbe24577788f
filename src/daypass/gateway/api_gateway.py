"""Behind AWS API Gateway: it has checked and counted the key, and says which one it was.

Its integration adds two headers to every request: a secret, which shows that the request came
through it, and the id of the API key. Both replace whatever the caller sent under these names.
"""

import hmac
import time
from collections.abc import Callable, Iterable

from daypass.gateway.authenticate import CACHE_LIFE_S, CACHE_SIZE, Principal
from daypass.gateway.errors import GatewayError, invalid_api_key
from daypass.plans import UsagePlan
from daypass.quota.policy import QuotaPolicy
from daypass.records.api_keys import KeyHolder, find_holder_by_id
from daypass.records.aws_keys import find_holder_by_aws_id
from daypass.records.database import Database

SECRET_HEADER = b"x-daypass-gateway-secret"
KEY_ID_HEADER = b"x-daypass-api-key-id"

NOT_THROUGH = "Call the API at {}: there your key is checked and counted. Nothing was counted here."
UNKNOWN = "This API key has been deleted or replaced. Make one, or look at yours, on the keys page."

NO_LIMITS = QuotaPolicy({})


class ApiGatewayAuthenticator:
    """Finds the principal of a request that came through API Gateway; refuses any other."""

    def __init__(
        self,
        database: Database,
        secret: str,
        plan_of: Callable[[str], UsagePlan],
        base_url: str,
    ) -> None:
        """`plan_of` gives a usage plan by its id; `base_url` is where callers should go."""
        self._database = database
        self._secret = secret.encode()
        self._plan_of = plan_of
        self._base_url = base_url
        self._cache: dict[bytes, tuple[float, Principal]] = {}

    async def by_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> Principal:
        """The principal of the key that API Gateway names.

        Raises GatewayError: 403 for a request that did not come through it or whose account is
        disabled, 401 for a key that is not known here.
        """
        key_id = self._vouched(headers)
        now = time.monotonic()
        cached = self._cache.get(key_id)
        if cached is not None and now < cached[0]:
            return cached[1]
        async with self._database.read() as session:
            holder = await find_holder_by_aws_id(session, key_id.decode("latin-1"))
        principal = self._to_principal(holder)
        if len(self._cache) >= CACHE_SIZE:
            self._cache.clear()
        self._cache[key_id] = (now + CACHE_LIFE_S, principal)
        return principal

    async def by_id(self, api_key_id: str) -> Principal:
        """The principal of a key by its id here. Raises GatewayError."""
        async with self._database.read() as session:
            return self._to_principal(await find_holder_by_id(session, api_key_id))

    def forget(self) -> None:
        """Look every key up anew."""
        self._cache.clear()

    def _vouched(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The key's id. Each header must be there once: a second one could be the caller's."""
        secrets = []
        key_ids = []
        for name, value in headers:
            if name == SECRET_HEADER:
                secrets.append(value)
            elif name == KEY_ID_HEADER:
                key_ids.append(value)
        came_through = len(secrets) == 1 and hmac.compare_digest(secrets[0], self._secret)
        if not came_through or len(key_ids) != 1 or not key_ids[0]:
            raise GatewayError(403, "not_through_api_gateway", NOT_THROUGH.format(self._base_url))
        return key_ids[0]

    def _to_principal(self, holder: KeyHolder | None) -> Principal:
        if holder is None:
            raise invalid_api_key(UNKNOWN)
        if holder.account_disabled:
            message = "Your account has been disabled. Ask the operator of this site."
            raise GatewayError(403, "account_disabled", message)
        plan = self._plan_of(holder.usage_plan_id)
        claims = NO_LIMITS.claims(holder.account_id, holder.slot, plan)
        return Principal(holder.api_key_id, holder.account_id, plan, claims)
