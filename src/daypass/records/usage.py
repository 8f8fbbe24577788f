"""Queries on usage by day, key and model."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.plans import Window
from daypass.records.database import insert_into
from daypass.records.tables import Account, ApiKey, UsageDay, UsageKeyWeek, UsageSiteDay


class UsageRow(NamedTuple):
    """The primary key of a usage row. `day` is the Unix time of its first second."""

    day: int
    api_key_id: str
    model: str
    via: str


@dataclass(slots=True)
class Use:
    """What requests add to their usage row. A give-back subtracts its unit again."""

    requests: int = 0
    refused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    last_at: int = 0
    """When the last of them was admitted (Unix time, seconds; 0: none)."""

    def add(self, other: "Use") -> None:
        """Add what came later."""
        self.requests += other.requests
        self.refused += other.refused
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.last_at = max(self.last_at, other.last_at)


_COUNTS = ("requests", "refused", "input_tokens", "output_tokens")


async def add(session: AsyncSession, pending: Mapping[UsageRow, Use]) -> None:
    """Add usage to its rows, and to the sums by week and for the site.

    In primary-key order, so that two writers never deadlock. The site's
    rows, which all processes share, come last and are locked for the shortest time.
    """
    by_key: dict[tuple[int, str], Use] = {}
    by_model: dict[tuple[int, str], Use] = {}
    for row, use in pending.items():
        by_key.setdefault((Window.WEEK.start(row.day), row.api_key_id), Use()).add(use)
        by_model.setdefault((row.day, row.model), Use()).add(use)
    await _add_to(session, UsageDay, UsageRow._fields, pending)
    await _add_to(session, UsageKeyWeek, ("week", "api_key_id"), by_key)
    await _add_to(session, UsageSiteDay, ("day", "model"), by_model)


async def _add_to(
    session: AsyncSession,
    table: type[UsageDay | UsageKeyWeek | UsageSiteDay],
    key: tuple[str, ...],
    uses: Mapping[Any, Use],
) -> None:
    columns = table.__table__.c
    counts = [name for name in _COUNTS if name in columns]
    insert = insert_into(session, table)
    added = {name: columns[name] + insert.excluded[name] for name in counts}
    rows = [
        dict(zip(key, row, strict=True)) | {name: getattr(use, name) for name in counts}
        for row, use in sorted(uses.items(), key=itemgetter(0))
    ]
    await session.execute(insert.on_conflict_do_update(index_elements=key, set_=added), rows)


# A row whose requests were all given back is of no interest.
_SOMETHING = or_(UsageDay.requests > 0, UsageDay.refused > 0)


async def by_day(
    session: AsyncSession, account_id: str, since: int
) -> Sequence[tuple[UsageDay, str]]:
    """Return an account's usage rows with their key's name, newest first.

    `since` is the Unix time of the first second of the oldest day.
    """
    rows = await session.execute(
        select(UsageDay, ApiKey.name)
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(ApiKey.account_id == account_id, UsageDay.day >= since, _SOMETHING)
        .order_by(UsageDay.day.desc(), ApiKey.name, UsageDay.model, UsageDay.via)
    )
    return [(usage, name) for usage, name in rows]


async def requests_since(session: AsyncSession, account_id: str, since: int) -> int:
    """Return the requests of all of an account's keys, deleted ones included, since a day."""
    total = await session.scalar(
        select(func.sum(UsageDay.requests))
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(ApiKey.account_id == account_id, UsageDay.day >= since)
    )
    return int(total or 0)


async def by_slot(
    session: AsyncSession, account_ids: Collection[str], since: int
) -> dict[str, list[tuple[int, int | None, int]]]:
    """Day, slot and requests of accounts' keys since a day, by account.

    A deleted key has no slot. An account without use has no entry.
    """
    rows = await session.execute(
        select(ApiKey.account_id, UsageDay.day, ApiKey.slot, func.sum(UsageDay.requests))
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(ApiKey.account_id.in_(account_ids), UsageDay.day >= since)
        .group_by(ApiKey.account_id, UsageDay.day, ApiKey.slot)
    )
    found: dict[str, list[tuple[int, int | None, int]]] = {}
    for account_id, day, slot, requests in rows:
        found.setdefault(account_id, []).append((day, slot, int(requests)))
    return found


async def site_requests_since(session: AsyncSession, since: int) -> int:
    """Requests of everybody since a day's first second."""
    query = select(func.sum(UsageSiteDay.requests)).where(UsageSiteDay.day >= since)
    return int(await session.scalar(query) or 0)


async def site_by_day(session: AsyncSession, since: int) -> Sequence[UsageSiteDay]:
    """Return the site's usage by day and model, newest first; `since` as in `by_day`."""
    rows = await session.scalars(
        select(UsageSiteDay)
        .where(UsageSiteDay.day >= since, or_(UsageSiteDay.requests > 0, UsageSiteDay.refused > 0))
        .order_by(UsageSiteDay.day.desc(), UsageSiteDay.model)
    )
    return rows.all()


async def by_account(session: AsyncSession, since: int, limit: int) -> list[tuple[str, int, int]]:
    """Return who used the most since a day: e-mail address, requests served and refused.

    Sums whole weeks, and single days only for the part of a week before them.
    """
    first_week = Window.WEEK.end(Window.WEEK.start(since - 1))
    days = select(UsageDay.api_key_id, UsageDay.requests, UsageDay.refused).where(
        UsageDay.day >= since, UsageDay.day < first_week
    )
    weeks = select(UsageKeyWeek.api_key_id, UsageKeyWeek.requests, UsageKeyWeek.refused).where(
        UsageKeyWeek.week >= first_week
    )
    uses = union_all(days, weeks).subquery()
    served, refused = func.sum(uses.c.requests), func.sum(uses.c.refused)
    rows = await session.execute(
        select(Account.email, served, refused)
        .join(ApiKey, ApiKey.id == uses.c.api_key_id)
        .join(Account, Account.id == ApiKey.account_id)
        .group_by(Account.email)
        .having(or_(served > 0, refused > 0))
        .order_by(served.desc(), Account.email)
        .limit(limit)
    )
    return [(email, int(requests), int(refusals)) for email, requests, refusals in rows]
