"""What became of each recent request: counted, given back or refused, and why.

No prompt and no answer is in a receipt.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.tables import ApiKey, RequestReceipt

KEPT = 200
"""Receipts kept of an account."""
KEPT_MS = 7 * 86_400 * 1_000

Outcome = Literal["counted", "given_back", "refused", "not_counted"]


class Receipt(NamedTuple):
    """One request. `at` is Unix time in milliseconds; `remaining` is what was left after it."""

    request_id: str
    at: int
    api_key_id: str
    model: str
    via: str
    status: int
    outcome: Outcome
    reason: str
    remaining: int | None


async def add(session: AsyncSession, account_id: str, new: Iterable[Receipt]) -> None:
    """Add receipts to an account's, and drop the oldest ones over the number and age kept."""
    rows = [receipt._asdict() | {"account_id": account_id} for receipt in new]
    # One may have been written before, by a transaction whose reply was lost.
    await session.execute(insert_into(session, RequestReceipt).on_conflict_do_nothing(), rows)
    mine = RequestReceipt.account_id == account_id
    last_kept = (
        select(RequestReceipt.at)
        .where(mine)
        .order_by(RequestReceipt.at.desc())
        .offset(KEPT - 1)
        .limit(1)
        .scalar_subquery()
    )
    newest = max(row["at"] for row in rows)
    is_old = or_(RequestReceipt.at < last_kept, RequestReceipt.at < newest - KEPT_MS)
    await session.execute(delete(RequestReceipt).where(mine, is_old))


async def recent(
    session: AsyncSession, account_id: str, since: int
) -> Sequence[tuple[RequestReceipt, str]]:
    """An account's receipts with their key's name, newest first. `since`: Unix time in ms."""
    rows = await session.execute(
        select(RequestReceipt, ApiKey.name)
        .join(ApiKey, ApiKey.id == RequestReceipt.api_key_id)
        .where(RequestReceipt.account_id == account_id, RequestReceipt.at >= since)
        .order_by(RequestReceipt.at.desc(), RequestReceipt.request_id)
        .limit(KEPT)
    )
    return [(receipt, name) for receipt, name in rows]
