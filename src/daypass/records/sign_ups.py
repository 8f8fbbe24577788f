"""Sign-ups that wait until the link in their mail is opened."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import normalise
from daypass.domain.times import DAY_S
from daypass.records.identifiers import new_id
from daypass.records.outbox import GIVE_UP_AFTER_S
from daypass.records.tables import SignUp

LINK_LIFETIME_S = DAY_S
"""Seconds for which the link in the mail works, from the moment that the mail is sent."""
LIFETIME_S = GIVE_UP_AFTER_S + LINK_LIFETIME_S


async def create(session: AsyncSession, email: str, invitation: str | None, now: int) -> None:
    """Keep a sign-up. There is no account yet, so the address is not taken by it.

    An address can have several: one for each invitation. Anybody can begin one, so none may
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
    """Delete the sign-ups whose link works no longer."""
    await session.execute(delete(SignUp).where(SignUp.expires_at <= now))


async def pending(session: AsyncSession, email: str, now: int) -> Sequence[SignUp]:
    """The sign-ups that wait for an address, newest first."""
    found = await session.scalars(
        select(SignUp)
        .where(SignUp.email == normalise(email), SignUp.expires_at > now)
        .order_by(SignUp.expires_at.desc(), SignUp.id)
    )
    return found.all()


async def take(session: AsyncSession, email: str, now: int) -> Sequence[SignUp]:
    """Use an address's sign-ups up: `pending`, and they wait no longer."""
    mine = SignUp.email == normalise(email)
    found = await session.scalars(
        delete(SignUp).where(mine, SignUp.expires_at > now).returning(SignUp)
    )
    return sorted(found, key=lambda row: row.expires_at, reverse=True)
