"""Receipts: whether each recent request was counted, given back or refused, and why.

Receipts contain no prompts and no answers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import orjson
from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.times import DAY_S
from daypass.records.database import insert_into, now_ms
from daypass.records.tables import ApiKey, ReceiptBatch

KEPT = 200
"""Receipts kept per account."""
KEPT_MS = 7 * DAY_S * 1_000
COUNTED_BATCHES = 5_000
DROP_BATCHES = 5_000
"""The most batches that one sweep deletes, which keeps its transaction short."""
DROP_AT_ONCE = 500
"""Accounts per statement: databases limit its parameters."""

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
    reserved: Sequence[int] | None = None
    """Requests, tokens and micro-dollars."""
    settled: Sequence[int] | None = None
    duration_ms: int | None = None
    """Until the end of the response; None in receipts from before this was kept."""


async def add(session: AsyncSession, new: Mapping[str, Sequence[Receipt]]) -> None:
    """Add receipts by account, and drop what is over the number and age kept."""
    batches = [
        {
            # A batch written again after a lost reply has the same first receipt, maybe more.
            "id": batch[0].request_id,
            "account_id": account_id,
            "at": max(receipt.at for receipt in batch),
            "count": len(batch),
            "receipts": orjson.dumps([tuple(receipt) for receipt in batch]).decode(),
        }
        for account_id, batch in sorted(new.items())
    ]
    insert = insert_into(session, ReceiptBatch).values(written_at=now_ms(session))
    changed = {name: insert.excluded[name] for name in ("at", "count", "receipts", "written_at")}
    await session.execute(
        insert.on_conflict_do_update(index_elements=["id"], set_=changed), batches
    )
    for start in range(0, len(batches), DROP_AT_ONCE):
        accounts = [batch["account_id"] for batch in batches[start : start + DROP_AT_ONCE]]
        await session.execute(_DROP_OLD, {"accounts": accounts})


# Batches that are too old, or that newer ones push beyond the number kept.
_newer = func.sum(ReceiptBatch.count).over(
    partition_by=ReceiptBatch.account_id, order_by=ReceiptBatch.at.desc(), rows=(None, -1)
)
_newest = func.max(ReceiptBatch.at).over(partition_by=ReceiptBatch.account_id)
_ranked = (
    select(ReceiptBatch.id, ReceiptBatch.at, _newer.label("newer"), _newest.label("newest"))
    .where(ReceiptBatch.account_id.in_(bindparam("accounts", expanding=True)))
    .subquery()
)
_DROP_OLD = delete(ReceiptBatch).where(
    ReceiptBatch.id.in_(
        select(_ranked.c.id).where(
            or_(_ranked.c.newer >= KEPT, _ranked.c.at < _ranked.c.newest - KEPT_MS)
        )
    )
)


async def recent(
    session: AsyncSession, account_id: str, since: int
) -> Sequence[tuple[Receipt, str]]:
    """Return an account's receipts and key names, newest first. `since`: Unix time in ms."""
    batches = await session.scalars(
        select(ReceiptBatch.receipts)
        .where(ReceiptBatch.account_id == account_id, ReceiptBatch.at >= since)
        .order_by(ReceiptBatch.at.desc())
    )
    by_id = {receipt.request_id: receipt for receipt in _since(since, batches)}
    newest_first = sorted(by_id.values(), key=lambda x: (x.at, x.request_id), reverse=True)[:KEPT]
    keys = select(ApiKey.id, ApiKey.name).where(ApiKey.account_id == account_id)
    names = {api_key_id: name for api_key_id, name in await session.execute(keys)}
    return [(x, names[x.api_key_id]) for x in newest_first if x.api_key_id in names]


async def delete_older(session: AsyncSession, before: int) -> None:
    """Delete receipts older than an instant (Unix time in ms), at most DROP_BATCHES batches.

    `add` drops those of accounts that keep writing.
    """
    old = select(ReceiptBatch.id).where(ReceiptBatch.at < before).limit(DROP_BATCHES)
    await session.execute(delete(ReceiptBatch).where(ReceiptBatch.id.in_(old)))


async def outcomes(session: AsyncSession, since: int) -> list[tuple[Outcome, str, int]]:
    """Count the outcomes and reasons in the newest receipts of all accounts.

    `since` is Unix time in milliseconds. No more than the newest 5000 batches are read.
    """
    batches = await session.scalars(
        select(ReceiptBatch.receipts)
        .where(ReceiptBatch.at >= since)
        .order_by(ReceiptBatch.at.desc())
        .limit(COUNTED_BATCHES)
    )
    counts = Counter((x.outcome, x.reason) for x in _since(since, batches))
    return [(outcome, reason, number) for (outcome, reason), number in counts.most_common()]


async def clock_ms(session: AsyncSession) -> int:
    """Return the database's clock (Unix time in milliseconds)."""
    return int(await session.scalar(select(now_ms(session))) or 0)


class LiveReceipt(NamedTuple):
    """A receipt and when it was written (Unix time in ms of the database's clock)."""

    written_at: int
    account_id: str
    receipt: Receipt


async def written_since(session: AsyncSession, since: int, limit: int) -> list[LiveReceipt]:
    """Return the receipts of all accounts that were written after an instant, oldest first.

    `since` is Unix time in milliseconds of the database's clock. No more than the newest `limit`
    batches are read.
    """
    batches = await session.execute(
        select(ReceiptBatch.written_at, ReceiptBatch.account_id, ReceiptBatch.receipts)
        .where(ReceiptBatch.written_at > since)
        .order_by(ReceiptBatch.written_at.desc())
        .limit(limit)
    )
    found = [
        LiveReceipt(written_at or 0, account_id, Receipt(*row))
        for written_at, account_id, rows in batches
        for row in orjson.loads(rows)
    ]
    return sorted(found, key=lambda x: (x.written_at, x.receipt.at, x.receipt.request_id))


def _since(since: int, batches: Iterable[str]) -> Iterator[Receipt]:
    for batch in batches:
        for row in orjson.loads(batch):
            receipt = Receipt(*row)
            if receipt.at >= since:
                yield receipt
