"""Queries on invitations: links with which one person may sign up."""

import secrets
from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.identifiers import digest, new_id
from daypass.records.tables import Invitation

SHOWN = 200


async def create(
    session: AsyncSession, note: str, now: int, lifetime_s: int
) -> tuple[Invitation, str]:
    """Add an invitation. Return it and its token, of which only a digest is stored."""
    token = secrets.token_urlsafe(24)
    invitation = Invitation(
        id=new_id("inv"),
        digest=digest(token),
        note=note,
        created_at=now,
        expires_at=now + lifetime_s,
        used_by=None,
        used_at=None,
    )
    session.add(invitation)
    await session.flush()
    return invitation, token


async def recent(session: AsyncSession) -> Sequence[Invitation]:
    """Return the newest invitations, including used ones."""
    found = await session.scalars(
        select(Invitation).order_by(Invitation.created_at.desc(), Invitation.id).limit(SHOWN)
    )
    return found.all()


async def has_any(session: AsyncSession) -> bool:
    """Return whether there is an invitation, used or not."""
    return await session.scalar(select(Invitation.id).limit(1)) is not None


async def withdraw(session: AsyncSession, invitation_id: str) -> Invitation | None:
    """Delete and return an unused invitation. Return None if there is none with this id."""
    return await session.scalar(
        delete(Invitation)
        .where(Invitation.id == invitation_id, Invitation.used_at.is_(None))
        .returning(Invitation)
    )


async def is_open(session: AsyncSession, token: str, now: int) -> bool:
    """Return whether this token allows a sign-up."""
    found = await session.scalar(select(Invitation.id).where(*_usable(token, now)))
    return found is not None


async def use(session: AsyncSession, token: str, email: str, now: int) -> bool:
    """Mark an invitation as used. Return False if it is unknown, expired or already used."""
    used = await session.scalar(
        update(Invitation)
        .where(*_usable(token, now))
        .values(used_by=email, used_at=now)
        .returning(Invitation.id)
    )
    return used is not None


def _usable(token: str, now: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.digest == digest(token),
        Invitation.used_at.is_(None),
        Invitation.expires_at > now,
    )
