"""Operators, and the one-time links that create the first one."""

import secrets
from collections.abc import Sequence

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.accounts import OPERATOR
from daypass.records.identifiers import digest
from daypass.records.tables import Account, SetupToken

_TOKEN_BYTES = 24
_ACTIVE = (Account.role == OPERATOR, Account.disabled_at.is_(None))


async def lock(session: AsyncSession) -> None:
    """Prevent other transactions from changing operators until this one ends.

    SQLite needs no lock: it has a single writer.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("LOCK TABLE setup_token IN EXCLUSIVE MODE"))


async def has_active(session: AsyncSession) -> bool:
    """Return whether the site has an operator who is not disabled."""
    return await session.scalar(select(Account.id).where(*_ACTIVE).limit(1)) is not None


async def has_any(session: AsyncSession) -> bool:
    """Return whether the site has an operator, disabled or not."""
    found = select(Account.id).where(Account.role == OPERATOR).limit(1)
    return await session.scalar(found) is not None


async def find_active(session: AsyncSession, account_id: str) -> Account | None:
    """Return this account if it is an active operator's. It stays so until the transaction ends."""
    await lock(session)
    return await session.scalar(select(Account).where(*_ACTIVE, Account.id == account_id))


async def list_active(session: AsyncSession) -> Sequence[Account]:
    """Return the operators who are not disabled."""
    return (await session.scalars(select(Account).where(*_ACTIVE).order_by(Account.email))).all()


async def is_last(session: AsyncSession, account: Account) -> bool:
    """Return whether this account is the last active operator."""
    other = await session.scalar(
        select(Account.id).where(*_ACTIVE, Account.id != account.id).limit(1)
    )
    return account.role == OPERATOR and other is None


def is_active(account: Account) -> bool:
    """Return whether an account is that of an operator who is not disabled."""
    return account.role == OPERATOR and account.disabled_at is None


def is_other_operator(account: Account, operator_id: str) -> bool:
    """Return whether an account is another operator's.

    An operator must not take it over, to act in the other's name.
    """
    return account.role == OPERATOR and account.id != operator_id


async def create_setup_token(session: AsyncSession, now: int) -> str:
    """Return a new token for a set-up link; only its digest is stored.

    Tokens that were created earlier stay valid: several servers that start together, and the
    command, each print a link that works. The first use ends all of them.
    """
    token = secrets.token_hex(_TOKEN_BYTES)
    session.add(SetupToken(digest=digest(token), created_at=now))
    return token


async def is_setup_token(session: AsyncSession, token: str) -> bool:
    """Return whether a set-up link with this token is valid."""
    found = await session.scalar(
        select(SetupToken.digest).where(SetupToken.digest == digest(token))
    )
    return found is not None


async def void_setup_tokens(session: AsyncSession) -> None:
    """Invalidate every set-up link. Call it under `lock` whenever the site gets an operator."""
    await session.execute(delete(SetupToken))
