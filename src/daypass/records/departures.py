"""Removes a person, and recognises their mailbox for as long as their counters matter."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from daypass.domain.emails import canonical, normalise
from daypass.domain.plans import Window
from daypass.domain.times import DAY_S
from daypass.records import api_keys
from daypass.records.identifiers import digest
from daypass.records.tables import (
    Account,
    AdminToken,
    AuditEntry,
    DepartedAccount,
    Invitation,
    Mail,
    ReceiptBatch,
    SignUp,
    UsageDay,
    UsageKeyWeek,
)

KEPT_S = 32 * DAY_S
"""Seconds for which a mailbox is recognised: longer than the longest window, a month."""
DELETED = "[deleted account]"
NAMING = (
    AuditEntry.subject,
    AuditEntry.detail,
    AuditEntry.token,
    AdminToken.name,
    Invitation.used_by,
    Invitation.note,
)
"""Text columns of other tables that may name a person."""


async def remove(session: AsyncSession, account: Account, secret: str, now: int) -> None:
    """Delete a person with everything that names them. The site's daily totals stay.

    A fingerprint of the mailbox, made with this site's `secret`, is kept for KEPT_S: see
    `former_id`. `now` is Unix time in seconds.
    """
    mailbox = fingerprint(secret, account.email)
    await session.merge(DepartedAccount(email_digest=mailbox, account_id=account.id, at=now))
    await _remove_usage(session, account.id)
    await session.execute(delete(ReceiptBatch).where(ReceiptBatch.account_id == account.id))
    email = account.email
    await session.execute(delete(SignUp).where(SignUp.email == email))
    await session.execute(delete(Mail).where(Mail.recipient == email))
    await session.execute(
        update(AuditEntry).where(AuditEntry.actor_id == account.id).values(actor_email=DELETED)
    )
    for column in NAMING:
        await _erase(session, column, email)
    # Foreign keys delete its sessions, identities, keys and stored objects.
    await session.execute(delete(Account).where(Account.id == account.id))


async def former_id(session: AsyncSession, email: str, secrets: Sequence[str]) -> str | None:
    """Return the id that the account of this mailbox had, if it was deleted recently.

    A new account gets the same id and therefore the same counters: deleting an account must not
    reset a limit.
    """
    known = [fingerprint(secret, email) for secret in secrets]
    # Before 0.1 the digest had no key, and at first it was that of the address as entered.
    known += [digest(canonical(email)), digest(normalise(email))]
    return await session.scalar(
        select(DepartedAccount.account_id).where(DepartedAccount.email_digest.in_(known)).limit(1)
    )


async def delete_old(session: AsyncSession, now: int) -> None:
    """Delete fingerprints that have expired. `now` is Unix time in seconds."""
    await session.execute(delete(DepartedAccount).where(DepartedAccount.at < now - KEPT_S))


def fingerprint(secret: str, email: str) -> str:
    """Return a mailbox's HMAC-SHA-256 (RFC 2104). Testing addresses needs the secret."""
    text = f"daypass departed account {canonical(email)}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


async def _remove_usage(session: AsyncSession, account_id: str) -> None:
    """Delete usage by key. The weeks are listed because their table's index begins with them."""
    keys = await api_keys.ids_of(session, account_id)
    if not keys:
        return
    mine = UsageDay.api_key_id.in_(keys)
    days = await session.scalars(select(UsageDay.day).where(mine).distinct())
    weeks = sorted({Window.WEEK.start(day) for day in days})
    await session.execute(
        delete(UsageKeyWeek).where(UsageKeyWeek.week.in_(weeks), UsageKeyWeek.api_key_id.in_(keys))
    )
    await session.execute(delete(UsageDay).where(mine))


async def _erase(session: AsyncSession, column: InstrumentedAttribute[Any], email: str) -> None:
    """Replace an address by DELETED wherever a text contains it, in any case."""
    address = re.compile(rf"(?<![\w.+-]){re.escape(email)}(?![\w-]|\.\w)", re.IGNORECASE)
    naming = func.lower(column).contains(email, autoescape=True)
    for text in await session.scalars(select(column).where(naming).distinct()):
        await session.execute(
            update(column.class_).where(column == text).values({column: address.sub(DELETED, text)})
        )
