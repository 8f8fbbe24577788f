"""Admin tokens: what programs present to use the operators' API."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.key_format import ADMIN_PREFIX, mint
from daypass.domain.times import DAY_S
from daypass.records.accounts import OPERATOR
from daypass.records.identifiers import digest, new_id
from daypass.records.tables import Account, AdminToken

Scope = Literal["read", "people", "plans", "groups", "keys"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
State = Literal["active", "expired", "revoked"]

NOTE_USE_EVERY_S = 60
KEPT_S = 90 * DAY_S
"""How long an expired or revoked token stays in the list."""


def state(token: AdminToken, now: int) -> State:
    """Return whether a token can be used at an instant (Unix time, seconds)."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= now else "active"


class TokenRow(NamedTuple):
    """A token, and the operator on whose behalf it acts."""

    token: AdminToken
    operator: Account


async def create(
    session: AsyncSession,
    account_id: str,
    *,
    name: str,
    scopes: Iterable[str],
    now: int,
    expires_at: int,
) -> tuple[AdminToken, str]:
    """Add a token and return it with its secret, of which only the digest is stored.

    Times are Unix time in seconds.
    """
    minted = mint(ADMIN_PREFIX)
    token = AdminToken(
        id=new_id("tok"),
        digest=minted.digest,
        name=name,
        scopes=" ".join(sorted(scopes)),
        created_by=account_id,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(token)
    await session.flush()
    return token, minted.secret


async def find(session: AsyncSession, secret: str) -> TokenRow | None:
    """Return the token with this secret, revoked and expired ones included.

    None if there is none, or if its operator is none any more.
    """
    found = await session.execute(
        select(AdminToken, Account)
        .join(Account, Account.id == AdminToken.created_by)
        .where(
            AdminToken.digest == digest(secret),
            Account.role == OPERATOR,
            Account.disabled_at.is_(None),
        )
    )
    row = found.one_or_none()
    return None if row is None else TokenRow(*row)


async def list_all(session: AsyncSession) -> Sequence[TokenRow]:
    """Return every token, newest first."""
    found = await session.execute(
        select(AdminToken, Account)
        .join(Account, Account.id == AdminToken.created_by)
        .order_by(AdminToken.created_at.desc(), AdminToken.id)
    )
    return [TokenRow(*row) for row in found]


async def revoke(session: AsyncSession, token_id: str, now: int) -> AdminToken | None:
    """Revoke a token and return it. None if there is none, or it is revoked already."""
    return await session.scalar(
        update(AdminToken)
        .where(AdminToken.id == token_id, AdminToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(AdminToken)
    )


async def note_use(session: AsyncSession, token_id: str, now: int) -> None:
    """Record that a token was used."""
    await session.execute(
        update(AdminToken).where(AdminToken.id == token_id).values(last_used_at=now)
    )


async def delete_old(session: AsyncSession, now: int) -> None:
    """Delete tokens that expired or were revoked long ago."""
    before = now - KEPT_S
    await session.execute(
        delete(AdminToken).where(
            or_(AdminToken.expires_at < before, AdminToken.revoked_at < before)
        )
    )
