"""Sign-ups that wait until the link in their mail is opened."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.identifiers import new_id
from daypass.records.tables import SignUp

LIFETIME_S = 86_400


async def create(
    session: AsyncSession, email: str, password_hash: str, invitation: str | None, now: int
) -> SignUp:
    """Keep a sign-up for a day. There is no account yet, so nobody's address is taken by it."""
    await session.execute(delete(SignUp).where(SignUp.expires_at <= now))
    row = SignUp(
        id=new_id("sgn"),
        email=email,
        password_hash=password_hash,
        invitation=invitation,
        expires_at=now + LIFETIME_S,
    )
    session.add(row)
    return row


async def take(session: AsyncSession, sign_up_id: str, now: int) -> SignUp | None:
    """Use a sign-up up. None: it was used before, or has expired."""
    return await session.scalar(
        delete(SignUp).where(SignUp.id == sign_up_id, SignUp.expires_at > now).returning(SignUp)
    )
