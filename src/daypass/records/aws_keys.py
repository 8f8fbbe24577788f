"""Queries on API keys that AWS API Gateway enforces."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.key_holders import HOLDER, KeyHolder, to_holder
from daypass.records.tables import ApiKey


async def find_holder_by_aws_id(session: AsyncSession, aws_key_id: str) -> KeyHolder | None:
    """Return the holder of the key with this id at API Gateway."""
    row = await session.execute(HOLDER.where(ApiKey.aws_key_id == aws_key_id))
    return to_holder(row.first())


async def enforced(session: AsyncSession) -> list[ApiKey]:
    """Return every key that API Gateway enforces."""
    found = select(ApiKey).where(ApiKey.aws_key_id.is_not(None), ApiKey.deleted_at.is_(None))
    return list(await session.scalars(found))


async def due_to_move(session: AsyncSession, now: int) -> list[ApiKey]:
    """Return keys whose plan change is due by `now` (Unix time, seconds)."""
    due = ApiKey.next_plan_at <= now
    return list(await session.scalars(select(ApiKey).where(due, ApiKey.deleted_at.is_(None))))


async def claim_move(session: AsyncSession, key: ApiKey, until: int) -> bool:
    """Claim a plan change until then. Return False if another process has claimed it."""
    taken = await session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key.id, ApiKey.next_plan_at == key.next_plan_at)
        .values(next_plan_at=until)
        .returning(ApiKey.id)
    )
    return taken is not None
