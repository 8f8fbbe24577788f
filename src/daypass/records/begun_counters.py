"""Whose counters have begun in Redis: one that is told of here, and is not there, was lost."""

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.tables import BegunCounters


async def begin(session: AsyncSession, subject: str, now: int) -> bool:
    """Note that counters begin. False: it was noted before. `now` is Unix time in seconds."""
    insert = insert_into(session, BegunCounters).values(subject=subject, at=now)
    added = await session.scalar(insert.on_conflict_do_nothing().returning(BegunCounters.subject))
    return added is not None
