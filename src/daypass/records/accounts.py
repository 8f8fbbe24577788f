"""Queries on accounts and their sessions."""

import hashlib
import secrets

from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.identifiers import new_id
from daypass.records.tables import Account, Session

OPERATOR = "operator"
MEMBER = "member"


class EmailTakenError(Exception):
    """There is an account with this e-mail address already."""


def normalise_email(email: str) -> str:
    """The form in which an address is unique: lower case."""
    return email.strip().lower()


async def create(session: AsyncSession, email: str, password_hash: str, now: int) -> Account:
    """Add an account; the first one of a site is its operator. Raises EmailTakenError."""
    is_first = not await has_any(session)
    if is_first and session.get_bind().dialect.name == "postgresql":
        # Two may come first at the same moment. (SQLite has one writer at a time anyway.)
        await session.execute(text("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE"))
        is_first = not await has_any(session)
    account = Account(
        id=new_id("acc"),
        email=normalise_email(email),
        password_hash=password_hash,
        role=OPERATOR if is_first else MEMBER,
        created_at=now,
        disabled_at=None,
    )
    session.add(account)
    try:
        await session.flush()
    except IntegrityError as error:
        raise EmailTakenError from error
    return account


async def has_any(session: AsyncSession) -> bool:
    """Whether anybody has signed up yet."""
    return await session.scalar(select(Account.id).limit(1)) is not None


async def find_by_email(session: AsyncSession, email: str) -> Account | None:
    """The account with this address, in any case."""
    return await session.scalar(select(Account).where(Account.email == normalise_email(email)))


async def list_all(session: AsyncSession) -> list[Account]:
    """Every account, oldest first."""
    return list(await session.scalars(select(Account).order_by(Account.created_at, Account.id)))


async def set_role(session: AsyncSession, email: str, role: str) -> bool:
    """Make an account an operator or a member. False: there is no such account."""
    return await _change(session, email, role=role)


async def set_disabled(session: AsyncSession, email: str, at: int | None) -> bool:
    """Disable an account (or enable it: None). False: there is no such account."""
    return await _change(session, email, disabled_at=at)


async def remove(session: AsyncSession, account_id: str) -> None:
    """Delete an account with its sessions and keys."""
    await session.execute(delete(Account).where(Account.id == account_id))


async def _change(session: AsyncSession, email: str, **values: object) -> bool:
    changed = await session.scalar(
        update(Account)
        .where(Account.email == normalise_email(email))
        .values(**values)
        .returning(Account.id)
    )
    return changed is not None


async def open_session(session: AsyncSession, account_id: str, now: int, lifetime_s: int) -> str:
    """Sign a browser in. Returns the token for its cookie; only a digest is stored."""
    token = secrets.token_urlsafe(32)
    session.add(
        Session(
            digest=_digest(token),
            account_id=account_id,
            created_at=now,
            expires_at=now + lifetime_s,
        )
    )
    await session.execute(delete(Session).where(Session.expires_at <= now))
    return token


async def find_by_session(session: AsyncSession, token: str, now: int) -> Account | None:
    """The account that a cookie's token is signed in to, if it still is."""
    return await session.scalar(
        select(Account)
        .join(Session, Session.account_id == Account.id)
        .where(Session.digest == _digest(token), Session.expires_at > now)
    )


async def close_session(session: AsyncSession, token: str) -> None:
    """Sign a browser out."""
    await session.execute(delete(Session).where(Session.digest == _digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
