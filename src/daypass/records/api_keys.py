"""Queries on API keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.key_format import MintedKey
from daypass.records.identifiers import new_id
from daypass.records.order import Sortable, in_order
from daypass.records.tables import Account, ApiKey, ApiKeySecret, KeyRevision


class TooManyKeysError(Exception):
    """The account has `most` API keys, as many as it may."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """What the owner of a key may set beside its name and plan. Times are Unix time, seconds."""

    expires_at: int | None = None
    paused_at: int | None = None
    note: str = ""
    allowed_models: tuple[str, ...] = ()
    """Names or globs. Empty: every model of the plan."""

    def apply_to(self, key: ApiKey) -> None:
        """Set a key's columns."""
        key.expires_at, key.paused_at, key.note = self.expires_at, self.paused_at, self.note
        key.allowed_models = list(self.allowed_models)

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOptions":
        """Return a key's options."""
        return cls(key.expires_at, key.paused_at, key.note, tuple(key.allowed_models))


NO_OPTIONS = KeyOptions()


async def create(
    session: AsyncSession,
    account_id: str,
    minted: MintedKey,
    *,
    name: str,
    usage_plan_id: str,
    max_keys: int,
    now: int,
    options: KeyOptions = NO_OPTIONS,
) -> ApiKey:
    """Add a key in the lowest free slot of its account. Raises TooManyKeysError."""
    taken = set(
        await session.scalars(
            select(ApiKey.slot).where(ApiKey.account_id == account_id, ApiKey.slot.is_not(None))
        )
    )
    free = [slot for slot in range(1, max_keys + 1) if slot not in taken]
    if len(taken) >= max_keys or not free:
        raise TooManyKeysError(max_keys)
    key = ApiKey(
        id=new_id("key"),
        account_id=account_id,
        slot=free[0],
        usage_plan_id=usage_plan_id,
        name=name,
        prefix=minted.prefix,
        last4=minted.last4,
        created_at=now,
        last_used_at=None,
        deleted_at=None,
        aws_key_id=None,
        next_usage_plan_id=None,
        next_plan_at=None,
        activating_until=None,
    )
    options.apply_to(key)
    session.add(key)
    try:
        await session.flush()
    except IntegrityError as error:
        # Two concurrent requests may pick the same slot. The database lets one have it.
        raise TooManyKeysError(max_keys) from error
    session.add(ApiKeySecret(digest=minted.digest, api_key_id=key.id, expires_at=None))
    await session.flush()
    if taken:
        # The account's ceiling, which applies to its other keys too, follows its keys' plans. Last:
        # a transaction that holds this row must not wait for another one.
        await session.execute(update(KeyRevision).values(number=KeyRevision.number + 1))
    return key


async def list_of(session: AsyncSession, account_id: str) -> list[ApiKey]:
    """Return an account's keys, oldest first, without deleted ones."""
    return list(
        await session.scalars(
            select(ApiKey)
            .where(ApiKey.account_id == account_id, ApiKey.deleted_at.is_(None))
            .order_by(ApiKey.created_at, ApiKey.slot)
        )
    )


async def ids_of(session: AsyncSession, account_id: str) -> list[str]:
    """Return the ids of all keys that an account has or had."""
    return list(await session.scalars(select(ApiKey.id).where(ApiKey.account_id == account_id)))


async def list_all(session: AsyncSession) -> list[tuple[ApiKey, str]]:
    """Return every key with its owner's e-mail address, oldest first, without deleted ones."""
    rows = await session.execute(
        select(ApiKey, Account.email)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKey.deleted_at.is_(None))
        .order_by(ApiKey.created_at, ApiKey.id)
    )
    return [(key, email) for key, email in rows]


class OwnedKey(NamedTuple):
    """What the live view shows of a key."""

    name: str
    usage_plan_id: str
    email: str


async def owners(session: AsyncSession, ids: Collection[str]) -> dict[str, OwnedKey]:
    """Return keys by id, deleted ones included, unless their accounts are deleted."""
    found = await session.execute(
        select(ApiKey.id, ApiKey.name, ApiKey.usage_plan_id, Account.email)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKey.id.in_(ids))
    )
    return {api_key_id: OwnedKey(*rest) for api_key_id, *rest in found}


KeySort = Literal["account_email", "name", "usage_plan_id", "last_used_at", "created_at"]

_SORTS: dict[KeySort, Sortable] = {
    "account_email": Account.email,
    "name": ApiKey.name,
    "usage_plan_id": ApiKey.usage_plan_id,
    "last_used_at": func.coalesce(ApiKey.last_used_at, 0),
    "created_at": ApiKey.created_at,
}


async def search(
    session: AsyncSession,
    wanted: str,
    offset: int,
    limit: int,
    *,
    sort: KeySort = "created_at",
    descending: bool = True,
) -> tuple[list[tuple[ApiKey, str]], int]:
    """Return keys with their owner's address, and their total number.

    `wanted` is searched for in the address and in the key's name, plan id, visible ends and id.
    """
    columns = (
        Account.email,
        ApiKey.name,
        ApiKey.usage_plan_id,
        ApiKey.prefix,
        ApiKey.last4,
        ApiKey.id,
    )
    matching = (
        select(ApiKey, Account.email)
        .join(Account, Account.id == ApiKey.account_id)
        .where(
            ApiKey.deleted_at.is_(None),
            or_(*(column.icontains(wanted, autoescape=True) for column in columns)),
        )
    )
    by = in_order(_SORTS[sort], ApiKey.id, descending=descending)
    found = await session.execute(matching.order_by(*by).offset(offset).limit(limit))
    total = await session.scalar(select(func.count()).select_from(matching.subquery()))
    return [(key, email) for key, email in found], total or 0


@dataclass(frozen=True, slots=True)
class SecretOwner:
    """A key that has a certain secret, and its owner's e-mail address."""

    key: ApiKey
    email: str
    is_current: bool
    """False for a rotated-out secret in its grace period."""


async def find_by_secret(session: AsyncSession, digest: str) -> SecretOwner | None:
    """Return the key with this secret and its owner's address."""
    row = await session.execute(
        select(ApiKey, Account.email, ApiKeySecret.expires_at)
        .join(ApiKeySecret, ApiKeySecret.api_key_id == ApiKey.id)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKeySecret.digest == digest, ApiKey.deleted_at.is_(None))
    )
    found = row.first()
    return None if found is None else SecretOwner(found[0], found[1], found[2] is None)


async def end_secret(session: AsyncSession, digest: str) -> None:
    """Make a rotated-out secret stop working before its grace period ends."""
    await session.execute(
        delete(ApiKeySecret).where(
            ApiKeySecret.digest == digest, ApiKeySecret.expires_at.is_not(None)
        )
    )


async def count_by_plan(session: AsyncSession) -> dict[str, int]:
    """Return the number of keys of each usage plan."""
    found = await session.execute(
        select(ApiKey.usage_plan_id, func.count())
        .where(ApiKey.deleted_at.is_(None))
        .group_by(ApiKey.usage_plan_id)
    )
    return {plan_id: count for plan_id, count in found}


async def find(session: AsyncSession, account_id: str, api_key_id: str) -> ApiKey | None:
    """Return a key if it belongs to this account."""
    return await session.scalar(
        select(ApiKey).where(
            ApiKey.id == api_key_id,
            ApiKey.account_id == account_id,
            ApiKey.deleted_at.is_(None),
        )
    )


async def find_any(session: AsyncSession, api_key_id: str) -> ApiKey | None:
    """Return a key of any account."""
    return await session.scalar(
        select(ApiKey).where(ApiKey.id == api_key_id, ApiKey.deleted_at.is_(None))
    )


async def find_locked(session: AsyncSession, api_key_id: str) -> ApiKey | None:
    """Return a key of any account, locked until this transaction ends.

    SQLite needs no lock: it has a single writer.
    """
    found = select(ApiKey).where(ApiKey.id == api_key_id, ApiKey.deleted_at.is_(None))
    return await session.scalar(found.with_for_update())


async def rotate(
    session: AsyncSession, key: ApiKey, minted: MintedKey, grace_ends: int | None, now: int
) -> None:
    """Give a key a new secret. The old one works until `grace_ends`; None: it stops at once."""
    old = ApiKeySecret.api_key_id == key.id
    if grace_ends is None:
        await session.execute(delete(ApiKeySecret).where(old))
    else:
        await session.execute(delete(ApiKeySecret).where(old, ApiKeySecret.expires_at <= now))
        await session.execute(
            update(ApiKeySecret)
            .where(
                old,
                or_(ApiKeySecret.expires_at.is_(None), ApiKeySecret.expires_at > grace_ends),
            )
            .values(expires_at=grace_ends)
        )
    session.add(ApiKeySecret(digest=minted.digest, api_key_id=key.id, expires_at=None))
    key.prefix, key.last4 = minted.prefix, minted.last4
    await session.flush()


async def remove(session: AsyncSession, key: ApiKey, now: int) -> None:
    """Delete a key: remove its secrets and free its slot, but keep its name for the usage table."""
    await session.execute(delete(ApiKeySecret).where(ApiKeySecret.api_key_id == key.id))
    key.deleted_at, key.slot, key.aws_key_id = now, None, None
    await session.flush()


async def note_use(session: AsyncSession, last_used_at: Mapping[str, int]) -> None:
    """Record when keys were last used (Unix time, seconds), by their ids."""
    if last_used_at:
        rows = [{"used": key, "last": at} for key, at in sorted(last_used_at.items())]
        await (await session.connection()).execute(_NOTE_USE, rows)


_NOTE_USE = (
    update(ApiKey).where(ApiKey.id == bindparam("used")).values(last_used_at=bindparam("last"))
)
