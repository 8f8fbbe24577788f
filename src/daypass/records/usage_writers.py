"""How far each process has written its usage, so that no batch is written twice or missed.

A process numbers its batches. A batch whose commit was answered too late is sent again with its
number, which the database recognises. A process that is behind says so, because counters that
Redis has lost are rebuilt from the usage table.
"""

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into, now_ms
from daypass.records.tables import UsageWriter

GONE_AFTER_MS = 120_000
"""Seconds after which a process that has not been seen is considered dead."""


class WrittenBeforeError(Exception):
    """An earlier attempt wrote the batch, so this one must be rolled back."""


async def finish_batch(
    session: AsyncSession, writer: str, batch: int, behind_ms: int | None
) -> None:
    """Record that a batch is written, in the transaction that writes it.

    `behind_ms` is the age in milliseconds of the oldest usage still unwritten. Raises
    WrittenBeforeError.
    """
    now = now_ms(session)
    row = insert_into(session, UsageWriter).values(
        id=writer,
        batch=batch,
        behind_since=_since(now, behind_ms),
        seen_at=now,
    )
    noted = row.on_conflict_do_update(
        index_elements=[UsageWriter.id],
        set_={name: row.excluded[name] for name in ("batch", "behind_since", "seen_at")},
        where=UsageWriter.batch < batch,
    ).returning(UsageWriter.id)
    if await session.scalar(noted) is None:
        raise WrittenBeforeError


async def announce(session: AsyncSession, writer: str, behind_ms: int | None) -> None:
    """Record the age of a process's unwritten usage in milliseconds; None: it has none."""
    now = now_ms(session)
    row = insert_into(session, UsageWriter).values(
        id=writer, batch=0, behind_since=_since(now, behind_ms), seen_at=now
    )
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[UsageWriter.id],
            set_={name: row.excluded[name] for name in ("behind_since", "seen_at")},
        )
    )


async def retire(session: AsyncSession, writer: str) -> None:
    """Delete the row of a process that has written everything, and those of dead processes."""
    gone = UsageWriter.seen_at < now_ms(session) - GONE_AFTER_MS
    await session.execute(delete(UsageWriter).where((UsageWriter.id == writer) | gone))


async def behind_since(session: AsyncSession) -> tuple[int, int | None]:
    """Return the database's clock, and since when the process furthest behind has unwritten usage.

    Both are in milliseconds of Unix time; the latter is None if no process is behind.
    """
    now = now_ms(session)
    oldest = (
        select(func.min(UsageWriter.behind_since))
        .where(UsageWriter.seen_at >= now - GONE_AFTER_MS)
        .scalar_subquery()
    )
    clock, since = (await session.execute(select(now, oldest))).one()
    return int(clock), None if since is None else int(since)


def _since(now: ColumnElement[int], behind_ms: int | None) -> ColumnElement[int] | None:
    return None if behind_ms is None else now - behind_ms
