"""The embedded enforcer: Daypass's own gateway asks the ledger about every call."""

from collections.abc import Callable, Sequence

from daypass.config.settings import Settings
from daypass.domain.key_format import mint
from daypass.domain.plans import UsagePlan
from daypass.domain.times import Clock
from daypass.enforcement.base import (
    Also,
    AlsoIssued,
    IssuedKey,
    found,
    nothing_else,
    nothing_issued,
    remove_keys,
)
from daypass.enforcement.current_policy import current_policy
from daypass.quota.policy import QuotaPolicy
from daypass.records import api_keys, site_settings
from daypass.records.api_keys import NO_OPTIONS, KeyOptions
from daypass.records.database import Database
from daypass.records.tables import ApiKey


class EmbeddedEnforcer:
    """Manages keys and plans in the database, where the gateway looks them up."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        keys_changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`keys_changed` makes the gateway look keys up again."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._keys_changed = keys_changed

    async def policy(self) -> QuotaPolicy:
        """Return the plans and ceilings in force."""
        async with self._database.read() as session:
            return await current_policy(session, self._settings)

    def unenforced_options(self, plan: UsagePlan) -> list[str]:
        """Return none: every option is enforced."""
        return []

    async def create_key(
        self,
        account_id: str,
        name: str,
        plan: UsagePlan,
        options: KeyOptions = NO_OPTIONS,
        also: AlsoIssued = nothing_issued,
    ) -> IssuedKey:
        """Create an API key in the lowest free slot of its account. Raises TooManyKeysError."""
        minted = mint()
        async with self._database.write() as session:
            site = await site_settings.read(session, self._settings)
            key = await api_keys.create(
                session,
                account_id,
                minted,
                name=name,
                usage_plan_id=plan.id,
                max_keys=site.max_keys_per_account,
                now=self._now(),
                options=options,
            )
            issued = IssuedKey(key, minted.secret)
            await also(session, issued)
        return issued

    async def change_key(
        self, key: ApiKey, name: str, plan: UsagePlan | None, also: Also = nothing_else
    ) -> ApiKey:
        """Rename a key and, with a `plan`, move it there at once."""
        async with self._database.write() as session:
            key = found(await api_keys.find_locked(session, key.id))
            await also(session)
            key.name = name
            if plan is not None:
                key.usage_plan_id = plan.id
        self._keys_changed()
        return key

    async def rotate_key(
        self, key: ApiKey, grace_s: int, also: AlsoIssued = nothing_issued
    ) -> IssuedKey:
        """Give a key a new secret. The old one works for `grace_s` seconds more."""
        minted = mint()
        now = self._now()
        grace_ends = now + grace_s if grace_s else None
        async with self._database.write() as session:
            key = found(await api_keys.find_locked(session, key.id))
            await api_keys.rotate(session, key, minted, grace_ends, now)
            issued = IssuedKey(key, minted.secret, grace_ends)
            await also(session, issued)
        self._keys_changed()
        return issued

    async def delete_keys(self, keys: Sequence[ApiKey], also: Also = nothing_else) -> None:
        """Delete keys."""
        async with self._database.write() as session:
            await remove_keys(session, keys, self._now())
            await also(session)
        self._keys_changed()

    async def set_account_enabled(
        self, account_id: str, enabled: bool, also: Also = nothing_else
    ) -> None:
        """Write `also`: the gateway reads the database."""
        async with self._database.write() as session:
            await also(session)
        self._keys_changed()

    def _now(self) -> int:
        return int(self._clock())
