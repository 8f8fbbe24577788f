"""Queries on sign-ups that wait for the link in their mail to be opened."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import normalise
from daypass.domain.times import DAY_S
from daypass.records.identifiers import new_id
from daypass.records.outbox import GIVE_UP_AFTER_S
from daypass.records.tables import SignUp

LINK_LIFETIME_S = DAY_S
"""Seconds for which the link in the mail works, from when the mail is sent."""
LIFETIME_S = GIVE_UP_AFTER_S + LINK_LIFETIME_S


async def create(session: AsyncSession, email: str, invitation: str | None, now: int) -> None:
    """Store a sign-up. It is not an account yet, so it does not take the address.

    An address can have several, one per invitation. Anyone can start one, so none may
    replace another person's.
    """
    same = SignUp.invitation == invitation if invitation else SignUp.invitation.is_(None)
    mine = (SignUp.email == normalise(email)) & same
    await session.execute(delete(SignUp).where((SignUp.expires_at <= now) | mine))
    session.add(
        SignUp(
            id=new_id("sgn"),
            email=normalise(email),
            invitation=invitation,
            expires_at=now + LIFETIME_S,
        )
    )


async def delete_expired(session: AsyncSession, now: int) -> None:
    """Delete sign-ups whose link has expired."""
    await session.execute(delete(SignUp).where(SignUp.expires_at <= now))


async def pending(session: AsyncSession, email: str, now: int) -> Sequence[SignUp]:
    """Return the pending sign-ups of an address, newest first."""
    found = await session.scalars(
        select(SignUp)
        .where(SignUp.email == normalise(email), SignUp.expires_at > now)
        .order_by(SignUp.expires_at.desc(), SignUp.id)
    )
    return found.all()


async def take(session: AsyncSession, email: str, now: int) -> Sequence[SignUp]:
    """Delete the pending sign-ups of the address of `pending`."""
    mine = SignUp.email == normalise(email)
    found = await session.scalars(
        delete(SignUp).where(mine, SignUp.expires_at > now).returning(SignUp)
    )
    return sorted(found, key=lambda row: row.expires_at, reverse=True)
