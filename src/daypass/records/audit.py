"""The audit log: what operators did. Entries never contain secrets."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.order import in_order
from daypass.records.tables import Account, AuditEntry

AuditSort = Literal["at", "actor_email", "action", "subject"]


def add(
    session: AsyncSession, actor: Account, action: str, subject: str, *, now: int, detail: str = ""
) -> None:
    """Record an action in the transaction that does it. `now` is Unix time in seconds."""
    session.add(
        AuditEntry(
            at=now,
            actor_id=actor.id,
            actor_email=actor.email,
            action=action,
            subject=subject[:320],
            detail=detail[:500],
        )
    )


async def search(
    session: AsyncSession,
    wanted: str,
    offset: int,
    limit: int,
    *,
    sort: AuditSort = "at",
    descending: bool = True,
) -> Sequence[AuditEntry]:
    """Return entries whose actor, action or subject contains `wanted`."""
    columns = (AuditEntry.actor_email, AuditEntry.action, AuditEntry.subject)
    # Entries are numbered in the order of their times.
    sorted_by = AuditEntry.id if sort == "at" else getattr(AuditEntry, sort)
    found = await session.scalars(
        select(AuditEntry)
        .where(or_(*(column.icontains(wanted, autoescape=True) for column in columns)))
        .order_by(*in_order(sorted_by, AuditEntry.id, descending=descending))
        .offset(offset)
        .limit(limit)
    )
    return found.all()


async def has_action(session: AsyncSession, prefix: str) -> bool:
    """Return whether there is an entry whose action begins with `prefix`."""
    found = select(AuditEntry.id).where(AuditEntry.action.startswith(prefix, autoescape=True))
    return await session.scalar(found.limit(1)) is not None


async def delete_older(session: AsyncSession, before: int) -> None:
    """Delete entries older than an instant (Unix time, seconds)."""
    await session.execute(delete(AuditEntry).where(AuditEntry.at < before))
