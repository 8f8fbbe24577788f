"""The audit log: what operators did. Entries never contain secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.order import in_order
from daypass.records.tables import Account, ApiKey, AuditEntry

AuditSort = Literal["at", "actor_email", "action", "subject"]


@dataclass(frozen=True, slots=True)
class Actor:
    """An operator who acts, signed in or through an admin token."""

    id: str
    email: str
    token_id: str | None = None
    token_name: str | None = None

    @property
    def token(self) -> str | None:
        """Return how the audit log names the admin token, such as `grading (tok_5f0c…)`."""
        return f"{self.token_name} ({self.token_id})" if self.token_id else None


def add(
    session: AsyncSession,
    actor: Actor | Account,
    action: str,
    subject: str,
    *,
    now: int,
    detail: str = "",
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
            token=actor.token if isinstance(actor, Actor) else None,
        )
    )


COMMAND = "the daypass command"
"""The actor of what was done on the command line."""


def add_from_command(session: AsyncSession, action: str, subject: str, *, now: int) -> None:
    """Record an action of the command in the transaction that does it."""
    session.add(
        AuditEntry(
            at=now,
            actor_id="",
            actor_email=COMMAND,
            action=action,
            subject=subject[:320],
            detail="",
        )
    )


async def about(session: AsyncSession, account: Account, limit: int) -> Sequence[AuditEntry]:
    """Return the entries about an account and the keys that it has or had, newest first."""
    of_key = ApiKey.id.concat(" ")  # See the subjects in `portal/operator/keys.py`.
    of_a_key = (
        select(ApiKey.id)
        .where(
            ApiKey.account_id == account.id,
            func.substr(AuditEntry.subject, 1, func.length(of_key)) == of_key,
        )
        .exists()
    )
    found = await session.scalars(
        select(AuditEntry)
        .where(or_(AuditEntry.subject.in_((account.email, account.id)), of_a_key))
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return found.all()


async def account_ids(session: AsyncSession, entries: Sequence[AuditEntry]) -> dict[int, str]:
    """Return the ids of the accounts that entries are about, by the entries' ids."""
    names = {entry.id: entry.subject.partition(" ")[0] for entry in entries}
    wanted = set(names.values())
    people = await session.execute(
        select(Account.email, Account.id).where(Account.email.in_(wanted))
    )
    keys = await session.execute(select(ApiKey.id, ApiKey.account_id).where(ApiKey.id.in_(wanted)))
    known = {name: account_id for name, account_id in (*people, *keys)}
    return {entry_id: known[name] for entry_id, name in names.items() if name in known}


async def search(
    session: AsyncSession,
    wanted: str,
    offset: int,
    limit: int,
    *,
    sort: AuditSort = "at",
    descending: bool = True,
) -> Sequence[AuditEntry]:
    """Return entries whose actor, token, action or subject contains `wanted`."""
    columns = (
        AuditEntry.actor_email,
        AuditEntry.action,
        AuditEntry.subject,
        func.coalesce(AuditEntry.token, ""),
    )
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
