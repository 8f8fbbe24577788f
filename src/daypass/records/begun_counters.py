"""Which counters exist in Redis. A counter that is listed here but missing there was lost."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.tables import BegunCounters


async def begin(session: AsyncSession, subjects: Collection[str], now: int) -> set[str]:
    """Record that counters begin. Return the subjects that were not recorded before.

    `now` is Unix time in seconds.
    """
    rows = [{"subject": subject, "at": now} for subject in sorted(subjects)]
    insert = insert_into(session, BegunCounters).values(rows)
    added = insert.on_conflict_do_nothing().returning(BegunCounters.subject)
    return set(await session.scalars(added))
