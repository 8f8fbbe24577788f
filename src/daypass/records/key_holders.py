"""Who holds an API key, for the gateway."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from daypass.records.tables import Account, ApiKey, ApiKeySecret, KeyRevision


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
    key_expires_at: int | None
    """When the key expires (Unix time, seconds), if its owner has set that."""
    is_paused: bool
    allowed_models: frozenset[str]
    expires_at: int | None
    """When the grace period of a rotated-out secret ends (Unix time, seconds)."""


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
        ApiKey.expires_at,
        ApiKey.paused_at,
        ApiKey.allowed_models,
    )
    .join(Account, Account.id == ApiKey.account_id)
    .where(ApiKey.deleted_at.is_(None))
)


def to_holder(row: Sequence[Any] | None) -> KeyHolder | None:
    """Convert a row of `HOLDER`, which may end with a secret's expiry, to a holder."""
    if row is None:
        return None
    api_key_id, account_id, slot, plan_id, plan_ids, disabled_at, created_at, *options = row
    key_expires_at, paused_at, allowed_models, *ends = options
    return KeyHolder(
        api_key_id,
        account_id,
        slot,
        plan_id,
        frozenset(plan_ids.split(",")),
        account_disabled=disabled_at is not None,
        created_at=created_at,
        key_expires_at=key_expires_at,
        is_paused=paused_at is not None,
        allowed_models=frozenset(allowed_models),
        expires_at=ends[0] if ends else None,
    )
