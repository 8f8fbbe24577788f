"""Queries on accounts and their sessions."""

import secrets
from typing import Literal, NamedTuple

from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import canonical, normalise
from daypass.records.identifiers import digest, new_id
from daypass.records.order import Sortable, in_order
from daypass.records.tables import (
    Account,
    AdminToken,
    ApiKey,
    Session,
    UsageDay,
)

OPERATOR = "operator"
MEMBER = "member"


NO_PASSWORD = ""


class EmailTakenError(Exception):
    """The e-mail address, or another address of the same mailbox, already has an account."""


async def create(
    session: AsyncSession,
    email: str,
    password_hash: str,
    now: int,
    *,
    role: str = MEMBER,
    confirmed: bool = False,
    account_id: str | None = None,
) -> Account:
    """Add an account, by default with a new id. Raises EmailTakenError.

    `password_hash` may be NO_PASSWORD; `confirmed`: the person has proved they own the address.
    """
    account = Account(
        id=account_id or new_id("acc"),
        email=normalise(email),
        email_canonical=canonical(email),
        email_confirmed_at=now if confirmed else None,
        password_hash=password_hash,
        role=role,
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
    """Return whether any account exists."""
    return await session.scalar(select(Account.id).limit(1)) is not None


async def has_several(session: AsyncSession) -> bool:
    """Return whether the site has more than one account."""
    return len(list(await session.scalars(select(Account.id).limit(2)))) == 2


async def find_by_email(session: AsyncSession, email: str) -> Account | None:
    """Return the account with this address, whatever its case."""
    return await session.scalar(select(Account).where(Account.email == normalise(email)))


async def find_by_mailbox(session: AsyncSession, email: str) -> Account | None:
    """Return the account with this address or, failing that, with another of its mailbox."""
    return await find_by_email(session, email) or await session.scalar(
        select(Account).where(Account.email_canonical == canonical(email)).limit(1)
    )


async def is_taken(session: AsyncSession, email: str) -> bool:
    """Return whether this address, or another of its mailbox, has an account."""
    found = await session.scalar(
        select(Account.id).where(
            or_(Account.email == normalise(email), Account.email_canonical == canonical(email))
        )
    )
    return found is not None


async def find(session: AsyncSession, account_id: str) -> Account | None:
    """Return the account with this id."""
    return await session.get(Account, account_id)


async def list_all(session: AsyncSession) -> list[Account]:
    """Return every account, oldest first."""
    return list(await session.scalars(select(Account).order_by(Account.created_at, Account.id)))


class PersonRow(NamedTuple):
    """An account, the number of its API keys, and its requests of one day."""

    account: Account
    keys: int
    requests: int


PersonSort = Literal["email", "state", "keys", "requests_today", "created_at"]


async def search(
    session: AsyncSession,
    text_in_email: str,
    day: int,
    offset: int,
    limit: int,
    *,
    sort: PersonSort = "created_at",
    descending: bool = True,
) -> tuple[list[PersonRow], int]:
    """Return accounts whose address contains a text, and their total number.

    `day` is Unix time: the first second of the day whose requests are summed. By state, operators
    come first and disabled accounts last.
    """
    wanted = Account.email.icontains(text_in_email, autoescape=True)
    mine = ApiKey.account_id == Account.id
    keys = select(func.count()).where(mine, ApiKey.deleted_at.is_(None)).scalar_subquery()
    requests = (
        select(func.coalesce(func.sum(UsageDay.requests), 0))
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(mine, UsageDay.day == day)
        .correlate(Account)
        .scalar_subquery()
    )
    sorts: dict[PersonSort, Sortable] = {
        "email": Account.email,
        "state": case(
            (Account.disabled_at.is_not(None), 2), (Account.role == OPERATOR, 0), else_=1
        ),
        "keys": keys,
        "requests_today": requests,
        "created_at": Account.created_at,
    }
    by = in_order(sorts[sort], Account.id, descending=descending)
    # Only the accounts of the page have their keys and requests counted.
    page = select(Account.id).where(wanted).order_by(*by).offset(offset).limit(limit)
    found = await session.execute(
        select(Account, keys, requests)
        .where(Account.id.in_(page.subquery().select()))
        .order_by(*by)
    )
    total = await session.scalar(select(func.count()).select_from(Account).where(wanted))
    return [PersonRow(account, count, int(used)) for account, count, used in found], total or 0


async def set_role(session: AsyncSession, account_id: str, role: str) -> None:
    """Make an account an operator or a member, and end its sessions and admin tokens.

    A session from before must not gain an operator's rights (OWASP Session Management: a new
    session id after any change of privileges).
    """
    await _change(session, account_id, role=role)
    await _end_access(session, account_id)


async def set_disabled(session: AsyncSession, account_id: str, at: int | None) -> None:
    """Disable an account (or enable it: None), and end its sessions and admin tokens."""
    await _change(session, account_id, disabled_at=at)
    await _end_access(session, account_id)


async def remove(session: AsyncSession, account_id: str) -> None:
    """Delete an account with its sessions and keys."""
    await session.execute(delete(Account).where(Account.id == account_id))


async def _end_access(session: AsyncSession, account_id: str) -> None:
    await close_sessions(session, account_id)
    # For good: a token must not work again when its operator is enabled or promoted later.
    await session.execute(delete(AdminToken).where(AdminToken.created_by == account_id))


async def _change(session: AsyncSession, account_id: str, **values: object) -> None:
    await session.execute(update(Account).where(Account.id == account_id).values(**values))


async def set_password(
    session: AsyncSession, account_id: str, before: str, password_hash: str
) -> bool:
    """Change an account's password. Return False if its hash is no longer `before`."""
    changed = await session.scalar(
        update(Account)
        .where(Account.id == account_id, Account.password_hash == before)
        .values(password_hash=password_hash)
        .returning(Account.id)
    )
    return changed is not None


async def claim(
    session: AsyncSession, account_id: str, email: str, password_hash: str, now: int
) -> bool:
    """Give an account whose address was never confirmed to the owner of the mailbox.

    A stranger may have created it: the password is replaced, every session ends, and the site's
    terms count as not accepted. Return False if the account is gone, has another address, or has
    been confirmed in the meantime.
    """
    claimed = await session.scalar(
        update(Account)
        .where(
            Account.id == account_id,
            Account.email == email,
            Account.email_confirmed_at.is_(None),
        )
        .values(
            password_hash=password_hash,
            email_confirmed_at=now,
            accepted_terms=None,
            terms_accepted_at=None,
        )
        .returning(Account.id)
    )
    await close_sessions(session, account_id)
    return claimed is not None


async def accept_terms(session: AsyncSession, account_id: str, version: str, now: int) -> None:
    """Record that an account accepts a version of the terms. `now` is Unix time in seconds."""
    await _change(session, account_id, accepted_terms=version, terms_accepted_at=now)


async def confirm_email(session: AsyncSession, account_id: str, email: str, now: int) -> bool:
    """Mark an address as confirmed. Return False if the account is gone or has another address."""
    confirmed = await session.scalar(
        update(Account)
        .where(Account.id == account_id, Account.email == email)
        .values(email_confirmed_at=func.coalesce(Account.email_confirmed_at, now))
        .returning(Account.id)
    )
    return confirmed is not None


async def open_session(session: AsyncSession, account_id: str, now: int, lifetime_s: int) -> str:
    """Sign a browser in. Return the token for its cookie; only its digest is stored."""
    token = secrets.token_urlsafe(32)
    session.add(
        Session(
            digest=digest(token),
            account_id=account_id,
            created_at=now,
            expires_at=now + lifetime_s,
        )
    )
    return token


async def delete_expired_sessions(session: AsyncSession, now: int) -> None:
    """Delete all sessions that expired before `now` (Unix time, seconds)."""
    await session.execute(delete(Session).where(Session.expires_at <= now))


async def is_unchanged(session: AsyncSession, account: Account) -> bool:
    """Return whether an account has the same password as when it was read, and is not disabled.

    Locks the row until the transaction ends, so that neither can change.
    """
    found = await session.scalar(
        select(Account.id)
        .where(
            Account.id == account.id,
            Account.password_hash == account.password_hash,
            Account.disabled_at.is_(None),
        )
        .with_for_update(read=True)
    )
    return found is not None


async def find_by_session(session: AsyncSession, token: str, now: int) -> Account | None:
    """Return the account that a cookie's token is signed in to, or None."""
    return await session.scalar(
        select(Account)
        .join(Session, Session.account_id == Account.id)
        .where(Session.digest == digest(token), Session.expires_at > now)
    )


async def session_opened_at(session: AsyncSession, token: str) -> int | None:
    """Return when a browser signed in (Unix time, seconds), or None if it is signed out."""
    return await session.scalar(select(Session.created_at).where(Session.digest == digest(token)))


class OpenSessions(NamedTuple):
    """The number of browsers that are signed in, and when the last one signed in (Unix time)."""

    browsers: int
    last_opened_at: int | None


async def open_sessions(session: AsyncSession, account_id: str, now: int) -> OpenSessions:
    """Return how many browsers are signed in to an account. `now` is Unix time in seconds."""
    found = await session.execute(
        select(func.count(), func.max(Session.created_at)).where(
            Session.account_id == account_id, Session.expires_at > now
        )
    )
    return OpenSessions(*found.one())


async def close_session(session: AsyncSession, token: str) -> None:
    """Sign a browser out."""
    await session.execute(delete(Session).where(Session.digest == digest(token)))


async def close_sessions(session: AsyncSession, account_id: str) -> None:
    """Sign an account out everywhere."""
    await session.execute(delete(Session).where(Session.account_id == account_id))
