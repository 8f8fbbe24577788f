"""What was used, by day, key and model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.tables import Account, ApiKey, UsageDay


class UsageRow(NamedTuple):
    """The primary key of a usage row. `day` is Unix time of its first second."""

    day: int
    api_key_id: str
    model: str
    via: str


@dataclass(slots=True)
class Use:
    """What requests add to their usage row; a unit given back is taken off again."""

    requests: int = 0
    refused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    last_at: int = 0
    """When the last of them was admitted (Unix time, seconds; 0: none was)."""

    def add(self, other: "Use") -> None:
        """Add what came later."""
        self.requests += other.requests
        self.refused += other.refused
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.last_at = max(self.last_at, other.last_at)


_KEY = UsageRow._fields
_COUNTS = ("requests", "refused", "input_tokens", "output_tokens")


async def add(session: AsyncSession, pending: Mapping[UsageRow, Use]) -> None:
    """Add what was counted to its rows.

    In primary-key order, so that two writers never wait for each other.
    """
    columns = UsageDay.__table__.c
    insert = insert_into(session, UsageDay)
    added = {name: columns[name] + insert.excluded[name] for name in _COUNTS}
    rows = [
        row._asdict() | {name: getattr(use, name) for name in _COUNTS}
        for row, use in sorted(pending.items(), key=itemgetter(0))
    ]
    await session.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=added), rows)


# A row whose every request was given back says nothing.
_SOMETHING = or_(UsageDay.requests > 0, UsageDay.refused > 0)


async def by_day(
    session: AsyncSession, account_id: str, since: int
) -> Sequence[tuple[UsageDay, str]]:
    """An account's usage rows with their key's name, newest first.

    `since` is Unix time: the first second of the oldest day wanted.
    """
    rows = await session.execute(
        select(UsageDay, ApiKey.name)
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(ApiKey.account_id == account_id, UsageDay.day >= since, _SOMETHING)
        .order_by(UsageDay.day.desc(), ApiKey.name, UsageDay.model, UsageDay.via)
    )
    return [(usage, name) for usage, name in rows]


async def requests_since(session: AsyncSession, account_id: str, since: int) -> int:
    """Requests of all of an account's keys, deleted ones too. `since`: a day's first second."""
    total = await session.scalar(
        select(func.sum(UsageDay.requests))
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(ApiKey.account_id == account_id, UsageDay.day >= since)
    )
    return int(total or 0)


async def by_slot(
    session: AsyncSession, account_id: str, since: int
) -> list[tuple[int, int | None, int]]:
    """Day, slot and requests of an account's keys since a day. A deleted key has no slot."""
    rows = await session.execute(
        select(UsageDay.day, ApiKey.slot, func.sum(UsageDay.requests))
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(ApiKey.account_id == account_id, UsageDay.day >= since)
        .group_by(UsageDay.day, ApiKey.slot)
    )
    return [(day, slot, int(requests)) for day, slot, requests in rows]


async def site_requests_since(session: AsyncSession, since: int) -> int:
    """Requests of everybody since a day's first second."""
    query = select(func.sum(UsageDay.requests)).where(UsageDay.day >= since)
    return int(await session.scalar(query) or 0)


class SiteDay(NamedTuple):
    """What everybody did with one model on one day. `day` is Unix time of its first second."""

    day: int
    model: str
    requests: int
    refused: int
    input_tokens: int
    output_tokens: int


_SUMS = tuple(
    func.sum(column)
    for column in (
        UsageDay.requests,
        UsageDay.refused,
        UsageDay.input_tokens,
        UsageDay.output_tokens,
    )
)


async def site_by_day(session: AsyncSession, since: int) -> list[SiteDay]:
    """What everybody used, by day and model, newest first; `since` as in `by_day`."""
    rows = await session.execute(
        select(UsageDay.day, UsageDay.model, *_SUMS)
        .where(UsageDay.day >= since, _SOMETHING)
        .group_by(UsageDay.day, UsageDay.model)
        .order_by(UsageDay.day.desc(), UsageDay.model)
    )
    return [SiteDay(day, model, *map(int, sums)) for day, model, *sums in rows]


async def by_account(session: AsyncSession, since: int, limit: int) -> list[tuple[str, int, int]]:
    """Who used the most since a day: e-mail address, requests served and refused."""
    served = func.sum(UsageDay.requests)
    rows = await session.execute(
        select(Account.email, served, func.sum(UsageDay.refused))
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .join(Account, Account.id == ApiKey.account_id)
        .where(UsageDay.day >= since, _SOMETHING)
        .group_by(Account.email)
        .order_by(served.desc(), Account.email)
        .limit(limit)
    )
    return [(email, int(requests), int(refused)) for email, requests, refused in rows]
