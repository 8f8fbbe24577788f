"""Queries on the outbox: mails are stored in the transaction that causes them, and sent later."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import normalise
from daypass.domain.times import DAY_S
from daypass.records.identifiers import new_id
from daypass.records.tables import Mail

GIVE_UP_AFTER_S = DAY_S
"""Seconds for which sending a mail is retried."""
FIRST_RETRY_S = 5
LONGEST_RETRY_S = 3_600
LEASE_S = 300
"""Seconds for which a mail is leased to the process that sends it."""
KEPT_S = 7 * DAY_S
"""Seconds for which operators see a mail that failed for good."""


async def add(
    session: AsyncSession, kind: str, recipient: str, about: str | None, now: int
) -> bool:
    """Put a mail into the outbox, due at once. `now` is Unix time in seconds.

    Return False if the same mail is already waiting for its next attempt. A failed one makes
    room for the new one.
    """
    recipient = normalise(recipient)
    same = (Mail.kind == kind, Mail.recipient == recipient)
    waiting = select(Mail.id).where(*same, Mail.due_at.is_not(None), Mail.error.is_not(None))
    if await session.scalar(waiting.limit(1)):
        return False
    await session.execute(delete(Mail).where(*same, Mail.due_at.is_(None)))
    session.add(
        Mail(
            id=new_id("mai"),
            kind=kind,
            recipient=recipient,
            about=about,
            created_at=now,
            attempts=0,
            due_at=now,
            error=None,
        )
    )
    return True


async def has_due(session: AsyncSession, now: int) -> bool:
    """Return whether a mail is waiting."""
    return await session.scalar(select(Mail.id).where(Mail.due_at <= now).limit(1)) is not None


async def claim(session: AsyncSession, now: int) -> Mail | None:
    """Take the mail that has waited longest. Other processes leave it alone for LEASE_S."""
    longest = (
        select(Mail.id)
        .where(Mail.due_at <= now)
        .order_by(Mail.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return await session.scalar(
        update(Mail)
        .where(Mail.id == longest.scalar_subquery())
        .values(due_at=now + LEASE_S, attempts=Mail.attempts + 1, error=None)
        .returning(Mail)
    )


async def remove_claimed(session: AsyncSession, mail: Mail) -> None:
    """Delete a mail that was sent or is no longer needed."""
    await session.execute(delete(Mail).where(*_still_claimed(mail)))


async def postpone(session: AsyncSession, mail: Mail, error: str, now: int) -> None:
    """Record a failed attempt. Each retry waits longer; after a day there are none."""
    wait = min(FIRST_RETRY_S * 2 ** (mail.attempts - 1), LONGEST_RETRY_S)
    due_at = now + wait
    await _note(
        session, mail, error, due_at if due_at < mail.created_at + GIVE_UP_AFTER_S else None
    )


async def give_up(session: AsyncSession, mail: Mail, error: str) -> None:
    """Record that a mail was rejected for good."""
    await _note(session, mail, error, None)


async def failed(session: AsyncSession, limit: int) -> tuple[Sequence[Mail], int]:
    """Return the newest mails whose last attempt failed, and their total number."""
    rows = await session.scalars(
        select(Mail)
        .where(Mail.error.is_not(None))
        .order_by(Mail.created_at.desc(), Mail.id)
        .limit(limit)
    )
    total = select(func.count()).select_from(Mail).where(Mail.error.is_not(None))
    return rows.all(), await session.scalar(total) or 0


async def retry(session: AsyncSession, mail_id: str, now: int) -> Mail | None:
    """Make a failed mail due now, and return it. Return None if it no longer exists."""
    mine = (Mail.id == mail_id, Mail.error.is_not(None))
    return await session.scalar(update(Mail).where(*mine).values(due_at=now).returning(Mail))


async def remove(session: AsyncSession, mail_id: str) -> Mail | None:
    """Delete and return a failed mail. Return None if it no longer exists."""
    mine = (Mail.id == mail_id, Mail.error.is_not(None))
    return await session.scalar(delete(Mail).where(*mine).returning(Mail))


async def prune(session: AsyncSession, now: int) -> None:
    """Delete mails that failed long ago."""
    await session.execute(
        delete(Mail).where(Mail.due_at.is_(None), Mail.created_at <= now - KEPT_S)
    )


async def _note(session: AsyncSession, mail: Mail, error: str, due_at: int | None) -> None:
    await session.execute(
        update(Mail).where(*_still_claimed(mail)).values(error=error[:300], due_at=due_at)
    )


def _still_claimed(mail: Mail) -> tuple[ColumnElement[bool], ...]:
    """Return the row, unless its lease has expired and another process has taken it."""
    return Mail.id == mail.id, Mail.due_at == mail.due_at
