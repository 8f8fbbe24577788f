"""Whose counters have begun in Redis: one that is told of here, and is not there, was lost."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.tables import BegunCounters


async def begin(session: AsyncSession, subjects: Collection[str], now: int) -> set[str]:
    """Note whose counters begin. Returns those of whom that was not noted before.

    `now` is Unix time in seconds.
    """
    rows = [{"subject": subject, "at": now} for subject in sorted(subjects)]
    insert = insert_into(session, BegunCounters).values(rows)
    added = insert.on_conflict_do_nothing().returning(BegunCounters.subject)
    return set(await session.scalars(added))
