"""API Gateway as the enforcer. Every change to a key is made there first, then recorded.

An account has one key at a time. API Gateway counts per key and plan, so a new key (or an old
one in a new plan) would start at zero. UpdateUsage carries over what the account has used.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from daypass.domain.key_format import PLAIN_PREFIX, PREFIX, MintedKey, mint
from daypass.domain.plans import UsagePlan, Window
from daypass.domain.times import Clock
from daypass.enforcement.aws import compensation
from daypass.enforcement.aws.activation import PATIENCE_S
from daypass.enforcement.aws.catalogue import Catalogue
from daypass.enforcement.aws.client import ApiGateway
from daypass.enforcement.aws.errors import AwsError, aws_id_of
from daypass.enforcement.aws.plans import AwsPlan, lowers, quota_of, unenforced_options
from daypass.enforcement.aws.usage import Use
from daypass.enforcement.base import (
    Also,
    AlsoIssued,
    EnforcerError,
    IssuedKey,
    found,
    nothing_else,
    nothing_issued,
    remove_keys,
)
from daypass.quota.policy import QuotaPolicy
from daypass.records import accounts, api_keys
from daypass.records.api_keys import NO_OPTIONS, KeyOptions
from daypass.records.database import Database
from daypass.records.tables import ApiKey

MAX_KEYS = 1

NO_GRACE = (
    "On this site a key that is rotated stops at once: API Gateway counts each key by itself, so "
    "two at a time would have two allowances."
)

log = structlog.get_logger()


class ApiGatewayEnforcer:
    """Manages keys and plans at API Gateway. The database records who owns them."""

    def __init__(
        self,
        api: ApiGateway,
        catalogue: Catalogue,
        use: Use,
        database: Database,
        clock: Clock,
        *,
        write_usage: Callable[[], Awaitable[None]],
        keys_changed: Callable[[], None] = lambda: None,
        watch: Callable[[ApiKey, str], None] = lambda _key, _secret: None,
    ) -> None:
        """`clock` gives Unix time in seconds.

        `write_usage` writes this process's pending usage, `keys_changed` makes the gateway look
        keys up again, and `watch` follows a new key until it works.
        """
        self._api = api
        self._catalogue = catalogue
        self._use = use
        self._database = database
        self._clock = clock
        self._write_usage = write_usage
        self._keys_changed = keys_changed
        self._watch = watch
        self._prefix = PREFIX

    async def policy(self) -> QuotaPolicy:
        """Return the plans of API Gateway, which has no ceilings above them."""
        return QuotaPolicy.of(
            [x.plan for x in (await self._catalogue.plans()).values()], None, None
        )

    def unenforced_options(self, plan: UsagePlan) -> list[str]:
        """Return the options that need the embedded enforcer."""
        return unenforced_options(plan)

    async def create_key(
        self,
        account_id: str,
        name: str,
        plan: UsagePlan,
        options: KeyOptions = NO_OPTIONS,
        also: AlsoIssued = nothing_issued,
    ) -> IssuedKey:
        """Create a key. Raises TooManyKeysError if the account has one."""
        async with self._database.read() as session:
            if await api_keys.list_of(session, account_id):
                raise api_keys.TooManyKeysError(MAX_KEYS)
        held = await self._held(plan.id)
        minted, aws_key_id = await self._make(account_id, name, held)
        try:
            async with self._database.write() as session:
                key = await api_keys.create(
                    session,
                    account_id,
                    minted,
                    name=name,
                    usage_plan_id=plan.id,
                    max_keys=MAX_KEYS,
                    now=self._now(),
                    options=options,
                )
                self._begin(key, aws_key_id)
                issued = IssuedKey(key, minted.secret)
                await also(session, issued)
        except BaseException:
            await compensation.delete_key(self._api, aws_key_id)
            raise
        self._watch(key, minted.secret)
        return issued

    async def change_key(
        self, key: ApiKey, name: str, plan: UsagePlan | None, also: Also = nothing_else
    ) -> ApiKey:
        """Rename a key and move it: at once if that grants no more, else at midnight (UTC)."""
        aws_key_id = aws_id_of(key)
        if name == key.name:
            return await self._change(key, name, plan, also)
        await self._api.change_key(aws_key_id, name=name)
        try:
            return await self._change(key, name, plan, also)
        except BaseException:
            await compensation.change_back(self._api, [aws_key_id], name=key.name)
            raise

    async def _change(self, key: ApiKey, name: str, plan: UsagePlan | None, also: Also) -> ApiKey:
        if plan is not None and plan.id != key.usage_plan_id:
            before = await self.held_plan(key.usage_plan_id)
            if lowers(before.plan if before else None, plan):
                return await self.move_now(key, plan.id, name, also)
        async with self._database.write() as session:
            current = found(await api_keys.find_locked(session, key.id))
            await also(session)
            current.name = name
            if plan is not None:
                is_there = current.usage_plan_id == plan.id
                midnight = Window.DAY.end(Window.DAY.start(self._clock()))
                current.next_usage_plan_id = None if is_there else plan.id
                current.next_plan_at = None if is_there else midnight
        return current

    async def keep_plan(self, key: ApiKey) -> None:
        """Cancel a plan change that has not taken effect yet."""
        async with self._database.write() as session:
            current = found(await api_keys.find_locked(session, key.id))
            current.next_usage_plan_id = current.next_plan_at = None

    async def move_now(
        self, key: ApiKey, usage_plan_id: str, name: str | None = None, also: Also = nothing_else
    ) -> ApiKey:
        """Move a key to a plan at once, and rename it. Used requests stay used.

        Either everything changes or nothing does.
        """
        after = await self._held(usage_plan_id)
        before = await self.held_plan(key.usage_plan_id)
        aws_key_id = aws_id_of(key)
        if before is not None:
            await self._api.detach(aws_key_id, before.aws_id)
        try:
            await self._attach(aws_key_id, after, key.account_id)
            async with self._database.write() as session:
                current = found(await api_keys.find_locked(session, key.id))
                await also(session)
                current.name = name or current.name
                current.usage_plan_id = usage_plan_id
                current.next_usage_plan_id = current.next_plan_at = None
        except BaseException:
            await compensation.move_back(self._api, aws_key_id, before, after)
            raise
        self._keys_changed()
        return current

    async def rotate_key(
        self, key: ApiKey, grace_s: int, also: AlsoIssued = nothing_issued
    ) -> IssuedKey:
        """Replace a key. The old one is rejected at once."""
        if grace_s:
            raise EnforcerError(NO_GRACE, status=422, about="grace_seconds")
        await self._check_alone(key)
        held = await self._held(key.usage_plan_id)
        minted, aws_key_id = await self._make(key.account_id, key.name, held)
        try:
            async with self._database.write() as session:
                current = found(await api_keys.find_locked(session, key.id))
                old = current.aws_key_id
                await api_keys.rotate(session, current, minted, None, self._now())
                self._begin(current, aws_key_id)
                issued = IssuedKey(current, minted.secret)
                await also(session, issued)
        except BaseException:
            await compensation.delete_key(self._api, aws_key_id)
            raise
        self._keys_changed()
        self._watch(current, minted.secret)
        if old:
            # Even if this fails, the old key is dead: the gateway no longer knows it.
            await compensation.delete_key(self._api, old)
        return issued

    async def delete_keys(self, keys: Sequence[ApiKey], also: Also = nothing_else) -> None:
        """Delete keys, in the database first: a key deleted at API Gateway cannot be restored."""
        async with self._database.write() as session:
            await remove_keys(session, keys, self._now())
            await also(session)
        self._keys_changed()
        for key in keys:
            if key.aws_key_id:
                await compensation.delete_key(self._api, key.aws_key_id)

    async def set_account_enabled(
        self, account_id: str, enabled: bool, also: Also = nothing_else
    ) -> None:
        """Make API Gateway reject the account's key, or admit it again."""
        async with self._database.read() as session:
            keys = await api_keys.list_of(session, account_id)
            account = await accounts.find(session, account_id)
        was_enabled = account is not None and account.disabled_at is None
        aws_key_ids = [key.aws_key_id for key in keys if key.aws_key_id]
        try:
            for aws_key_id in aws_key_ids:
                await self._api.change_key(aws_key_id, enabled=enabled)
            async with self._database.write() as session:
                await also(session)
        except BaseException:
            await compensation.change_back(self._api, aws_key_ids, enabled=was_enabled)
            raise
        self._keys_changed()

    async def set_remaining(
        self, aws_key_id: str, held: AwsPlan, account_id: str, *, is_new: bool = False
    ) -> None:
        """Set a key's remaining requests to what its account has not used, by our own records.

        A key that is new in its plan already has all of them left.
        """
        quota = quota_of(held.plan)
        if quota is None:
            return
        used = await self._used(account_id, quota.window)
        if used or not is_new:
            await self._api.set_remaining(aws_key_id, held.aws_id, max(0, quota.amount - used))

    async def held_plan(self, usage_plan_id: str) -> AwsPlan | None:
        """Return a plan as API Gateway has it. Raises EnforcerError if it has none."""
        return (await self._catalogue.plans()).get(usage_plan_id)

    async def _used(self, account_id: str, window: Window) -> int:
        await self._write_usage()
        return await self._use.recorded(account_id, window)

    async def _make(self, account_id: str, name: str, held: AwsPlan) -> tuple[MintedKey, str]:
        """Create a key at API Gateway, in its plan, with what its account has used carried over."""
        minted, aws_key_id = await self._mint_there(account_id, name)
        try:
            await self._attach(aws_key_id, held, account_id)
        except BaseException:
            await compensation.delete_key(self._api, aws_key_id)
            raise
        return minted, aws_key_id

    async def _mint_there(self, account_id: str, name: str) -> tuple[MintedKey, str]:
        minted = mint(self._prefix)
        try:
            return minted, await self._api.create_key(name, minted.secret, account_id)
        except AwsError as error:
            refuses_format = error.code == "BadRequestException" and "value" in error.reason.lower()
            if not refuses_format or self._prefix == PLAIN_PREFIX:
                raise
        # Key values are documented as alphanumeric. If '_' is rejected, do without it.
        log.warning("key_format_refused", using=PLAIN_PREFIX)
        self._prefix = PLAIN_PREFIX
        return await self._mint_there(account_id, name)

    async def _attach(self, aws_key_id: str, held: AwsPlan, account_id: str) -> None:
        try:
            await self._api.attach(aws_key_id, held.aws_id)
        except AwsError as error:
            if error.is_missing:
                raise self._plan_gone(held.plan.id) from error
            raise
        await self.set_remaining(aws_key_id, held, account_id, is_new=True)

    async def _held(self, usage_plan_id: str) -> AwsPlan:
        held = await self.held_plan(usage_plan_id)
        if held is None:
            raise self._plan_gone(usage_plan_id)
        return held

    async def _check_alone(self, key: ApiKey) -> None:
        """Raise EnforcerError if another key of the account is at API Gateway already.

        An account may have several from before API Gateway enforced the plans.
        """
        async with self._database.read() as session:
            keys = await api_keys.list_of(session, key.account_id)
        if any(other.aws_key_id for other in keys if other.id != key.id):
            message = "On this site an account has one key that works: delete the other one first."
            raise EnforcerError(message, status=409)

    def _plan_gone(self, usage_plan_id: str) -> EnforcerError:
        self._catalogue.invalidate()
        message = (
            f"The usage plan {usage_plan_id} is no longer offered. Choose another one. "
            "Nothing was changed."
        )
        reason = f"API Gateway has no usage plan {usage_plan_id} for this stage: 'daypass aws sync'"
        return EnforcerError(message, reason=reason, status=409, about="usage_plan_id")

    def _begin(self, key: ApiKey, aws_key_id: str) -> None:
        key.aws_key_id = aws_key_id
        key.activating_until = self._now() + int(PATIENCE_S)

    def _now(self) -> int:
        return int(self._clock())
