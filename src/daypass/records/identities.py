"""Links between people at an OpenID provider and accounts."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.tables import Account, Identity


async def find_account(session: AsyncSession, issuer: str, subject: str) -> Account | None:
    """Return the account of this person at that provider."""
    return await session.scalar(
        select(Account)
        .join(Identity, Identity.account_id == Account.id)
        .where(Identity.issuer == issuer, Identity.subject == subject)
    )


async def link(session: AsyncSession, issuer: str, subject: str, account_id: str, now: int) -> None:
    """Let this person at that provider sign in to an account."""
    await session.execute(
        insert_into(session, Identity)
        .values(issuer=issuer, subject=subject, account_id=account_id, created_at=now)
        .on_conflict_do_nothing()
    )
