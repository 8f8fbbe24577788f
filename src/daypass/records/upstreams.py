"""Queries on upstreams made on the site."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.upstreams import UpstreamTerms
from daypass.records.identifiers import new_id
from daypass.records.sealed_keys import KeySealer, SealBrokenError
from daypass.records.tables import StoredUpstream

MASKED_LENGTH = 16
"""Shorter keys do not show their last four characters: too few would be left to guess."""


class UpstreamNameTakenError(Exception):
    """An upstream with this name already exists."""


class UpstreamUnreadableError(Exception):
    """An upstream's row is invalid. A newer version of Daypass may have written it."""


async def rows(session: AsyncSession) -> Sequence[StoredUpstream]:
    """Return all upstreams made on the site, oldest first."""
    order = (StoredUpstream.created_at, StoredUpstream.id)
    return (await session.scalars(select(StoredUpstream).order_by(*order))).all()


async def count(session: AsyncSession) -> int:
    """Return how many upstreams were made on the site."""
    return (await session.scalars(select(func.count()).select_from(StoredUpstream))).one()


async def find_locked(session: AsyncSession, upstream_id: str) -> StoredUpstream | None:
    """Return an upstream, locked until this transaction ends."""
    return await session.get(StoredUpstream, upstream_id, with_for_update=True)


async def create(
    session: AsyncSession, terms: UpstreamTerms, api_key: str | None, sealer: KeySealer, now: int
) -> StoredUpstream:
    """Add an upstream. Raises UpstreamNameTakenError."""
    row = StoredUpstream(
        id=new_id("ups"),
        name=terms.name,
        terms=stored_terms(terms),
        sealed_key=None,
        key_last4=None,
        created_at=now,
    )
    set_key(row, api_key, sealer)
    session.add(row)
    await flush(session)
    return row


async def flush(session: AsyncSession) -> None:
    """Write what has changed. Raises UpstreamNameTakenError."""
    try:
        await session.flush()
    except IntegrityError as error:
        raise UpstreamNameTakenError from error


def terms_of(row: StoredUpstream) -> UpstreamTerms:
    """Return the terms of an upstream. Raises UpstreamUnreadableError."""
    try:
        return UpstreamTerms.model_validate(row.terms | {"name": row.name})
    except ValidationError as error:
        raise UpstreamUnreadableError from error


def stored_terms(terms: UpstreamTerms) -> dict[str, Any]:
    """Return the `terms` column of an upstream."""
    return terms.model_dump(exclude={"name"}, mode="json")


def set_key(row: StoredUpstream, api_key: str | None, sealer: KeySealer) -> None:
    """Set or remove an upstream's key. Its base URL must be set: the key is bound to it."""
    row.sealed_key = api_key and sealer.seal(api_key, _context(row))
    row.key_last4 = api_key[-4:] if api_key and len(api_key) >= MASKED_LENGTH else None


def key_of(row: StoredUpstream, sealer: KeySealer) -> str | None:
    """Return an upstream's key. Raises SealBrokenError."""
    return row.sealed_key and sealer.unseal(row.sealed_key, _context(row))


async def renew_keys(session: AsyncSession, sealer: KeySealer) -> int:
    """Encrypt keys with the newest secret key. Return how many had an older one."""
    renewed = 0
    for row in await rows(session):
        try:
            sealed = row.sealed_key and sealer.renewed(row.sealed_key, _context(row))
        except (SealBrokenError, UpstreamUnreadableError):
            continue
        if sealed:
            row.sealed_key = sealed
            renewed += 1
    return renewed


def _context(row: StoredUpstream) -> str:
    return f"{row.id} {terms_of(row).origin}"
