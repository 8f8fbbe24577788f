"""Queries on the outbox: mails are stored with what caused them, and sent afterwards."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import normalise
from daypass.domain.times import DAY_S
from daypass.records.identifiers import new_id
from daypass.records.tables import Mail

GIVE_UP_AFTER_S = DAY_S
"""Seconds for which a mail is tried again."""
FIRST_RETRY_S = 5
LONGEST_RETRY_S = 3_600
LEASE_S = 300
"""Seconds for which a mail belongs to the process that is sending it."""
KEPT_S = 7 * DAY_S
"""Seconds for which a mail that was given up is shown to operators."""


async def add(
    session: AsyncSession, kind: str, recipient: str, about: str | None, now: int
) -> bool:
    """Put a mail into the outbox, due at once. `now` is Unix time in seconds.

    False: the same mail waits there for its next attempt already. One that was given up makes
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
    """Whether a mail waits to be sent."""
    return await session.scalar(select(Mail.id).where(Mail.due_at <= now).limit(1)) is not None


async def claim(session: AsyncSession, now: int) -> Mail | None:
    """Take the mail that has waited longest. For LEASE_S it is nobody else's."""
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
    """Forget a mail that was sent, or that has lost its purpose."""
    await session.execute(delete(Mail).where(*_still_claimed(mail)))


async def postpone(session: AsyncSession, mail: Mail, error: str, now: int) -> None:
    """Note that an attempt failed. Each next one comes later; after a day there is none."""
    wait = min(FIRST_RETRY_S * 2 ** (mail.attempts - 1), LONGEST_RETRY_S)
    due_at = now + wait
    await _note(
        session, mail, error, due_at if due_at < mail.created_at + GIVE_UP_AFTER_S else None
    )


async def give_up(session: AsyncSession, mail: Mail, error: str) -> None:
    """Note that a mail was refused for good."""
    await _note(session, mail, error, None)


async def failed(session: AsyncSession, limit: int) -> tuple[Sequence[Mail], int]:
    """The newest mails whose last attempt failed, and how many there are in all."""
    rows = await session.scalars(
        select(Mail)
        .where(Mail.error.is_not(None))
        .order_by(Mail.created_at.desc(), Mail.id)
        .limit(limit)
    )
    total = select(func.count()).select_from(Mail).where(Mail.error.is_not(None))
    return rows.all(), await session.scalar(total) or 0


async def retry(session: AsyncSession, mail_id: str, now: int) -> Mail | None:
    """Make a mail that failed due now. None: there is no such mail any more."""
    mine = (Mail.id == mail_id, Mail.error.is_not(None))
    return await session.scalar(update(Mail).where(*mine).values(due_at=now).returning(Mail))


async def remove(session: AsyncSession, mail_id: str) -> Mail | None:
    """Delete a mail that failed. None: there is no such mail any more."""
    mine = (Mail.id == mail_id, Mail.error.is_not(None))
    return await session.scalar(delete(Mail).where(*mine).returning(Mail))


async def prune(session: AsyncSession, now: int) -> None:
    """Delete mails that were given up long ago."""
    await session.execute(
        delete(Mail).where(Mail.due_at.is_(None), Mail.created_at <= now - KEPT_S)
    )


async def _note(session: AsyncSession, mail: Mail, error: str, due_at: int | None) -> None:
    await session.execute(
        update(Mail).where(*_still_claimed(mail)).values(error=error[:300], due_at=due_at)
    )


def _still_claimed(mail: Mail) -> tuple[ColumnElement[bool], ...]:
    """The row, unless its lease has ended and another process has taken it since."""
    return Mail.id == mail.id, Mail.due_at == mail.due_at
