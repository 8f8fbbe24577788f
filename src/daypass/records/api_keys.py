"""Queries on API keys."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

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
class KeyHolder:
    """What the gateway needs to know of a key."""

    api_key_id: str
    account_id: str
    slot: int
    usage_plan_id: str
    account_plan_ids: Collection[str]
    """The usage plans of all of the account's keys."""
    account_disabled: bool
    created_at: int
    """Unix time, seconds."""
    expires_at: int | None
    """When the grace period of a rotated-out secret ends (Unix time, seconds)."""


async def create(
    session: AsyncSession,
    account_id: str,
    minted: MintedKey,
    *,
    name: str,
    usage_plan_id: str,
    max_keys: int,
    now: int,
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


async def list_all(session: AsyncSession) -> list[tuple[ApiKey, str]]:
    """Return every key with its owner's e-mail address, oldest first, without deleted ones."""
    rows = await session.execute(
        select(ApiKey, Account.email)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKey.deleted_at.is_(None))
        .order_by(ApiKey.created_at, ApiKey.id)
    )
    return [(key, email) for key, email in rows]


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


async def find_holder(session: AsyncSession, digest: str) -> KeyHolder | None:
    """Return the holder of the key with this digest. The caller checks whether it has expired."""
    row = await session.execute(
        HOLDER.add_columns(ApiKeySecret.expires_at)
        .join(ApiKeySecret, ApiKeySecret.api_key_id == ApiKey.id)
        .where(ApiKeySecret.digest == digest)
    )
    return to_holder(row.first())


async def find_holder_by_id(session: AsyncSession, api_key_id: str) -> KeyHolder | None:
    """Return the holder of a key, given its id."""
    row = await session.execute(HOLDER.where(ApiKey.id == api_key_id))
    return to_holder(row.first())


async def key_revision(session: AsyncSession) -> int:
    """Return a number that rises whenever a key may have lost some of its rights."""
    return (await session.scalars(select(KeyRevision.number))).one()


_NOTE_USE = (
    update(ApiKey).where(ApiKey.id == bindparam("used")).values(last_used_at=bindparam("last"))
)
_sibling = aliased(ApiKey)
_plan_ids = (
    select(func.aggregate_strings(_sibling.usage_plan_id, ","))
    .where(_sibling.account_id == ApiKey.account_id, _sibling.deleted_at.is_(None))
    .scalar_subquery()
)
HOLDER = (
    select(
        ApiKey.id,
        ApiKey.account_id,
        ApiKey.slot,
        ApiKey.usage_plan_id,
        _plan_ids,
        Account.disabled_at,
        ApiKey.created_at,
    )
    .join(Account, Account.id == ApiKey.account_id)
    .where(ApiKey.deleted_at.is_(None))
)


def to_holder(row: Sequence[Any] | None) -> KeyHolder | None:
    """Convert a row of `HOLDER`, which may end with a secret's expiry, to a holder."""
    if row is None:
        return None
    api_key_id, account_id, slot, plan_id, plan_ids, disabled_at, created_at, *ends = row
    return KeyHolder(
        api_key_id,
        account_id,
        slot,
        plan_id,
        frozenset(plan_ids.split(",")),
        account_disabled=disabled_at is not None,
        created_at=created_at,
        expires_at=ends[0] if ends else None,
    )
