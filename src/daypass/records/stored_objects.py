"""Queries on the owners of objects stored upstream."""

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.tables import StoredObject

AT_ONCE = 500
"""Ids per statement: SQLite and PostgreSQL limit its parameters."""


async def owners(session: AsyncSession, ids: Iterable[str]) -> dict[str, str]:
    """Return the account of each object that has one."""
    found: dict[str, str] = {}
    for some in _parts(sorted(set(ids))):
        rows = await session.execute(
            select(StoredObject.id, StoredObject.account_id).where(StoredObject.id.in_(some))
        )
        found.update((object_id, account_id) for object_id, account_id in rows)
    return found


async def claim(session: AsyncSession, account_id: str, ids: Iterable[str], now: int) -> None:
    """Record that an account owns these objects. An object that has an owner keeps it."""
    for some in _parts(sorted(set(ids))):
        rows = [{"id": x, "account_id": account_id, "created_at": now} for x in some]
        await session.execute(
            insert_into(session, StoredObject).values(rows).on_conflict_do_nothing()
        )


async def remove(session: AsyncSession, object_id: str) -> None:
    """Delete an object, so that its id is unknown from now on."""
    await session.execute(delete(StoredObject).where(StoredObject.id == object_id))


def _parts(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
