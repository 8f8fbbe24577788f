"""How far each process has written its usage: no batch twice, and none believed complete too early.

A process numbers its batches. A batch whose commit was answered too late is sent again under its
number, which the database then knows. A process that is behind says so, because counters that
Redis has lost are rebuilt from the usage table.
"""

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into, now_ms
from daypass.records.tables import UsageWriter

GONE_AFTER_MS = 120_000
"""A process that has not been seen for so long has ended, and will not write any more."""


class WrittenBeforeError(Exception):
    """The batch was written by an earlier attempt: this one must be rolled back."""


async def finish_batch(
    session: AsyncSession, writer: str, batch: int, behind_ms: int | None
) -> None:
    """Note, in the transaction that writes a batch, that it is written.

    `behind_ms` is the age, in milliseconds, of the oldest use that it leaves unwritten. Raises
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
    """Say that a process has use to write that is `behind_ms` milliseconds old, or no more."""
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
    """Forget a process that has written everything, and those that ended without a word."""
    gone = UsageWriter.seen_at < now_ms(session) - GONE_AFTER_MS
    await session.execute(delete(UsageWriter).where((UsageWriter.id == writer) | gone))


async def behind_since(session: AsyncSession) -> tuple[int, int | None]:
    """The database's clock, and since when the process furthest behind has not written its use.

    Both in milliseconds of Unix time; None when nobody is behind.
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
