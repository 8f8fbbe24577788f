"""Queries on usage by day, key and model."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.plans import NOTHING, Amounts, Window
from daypass.domain.usage import TokenUsage
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
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    audio_tokens: int = 0
    cost: int = 0
    """Micro-dollars."""
    reserved_tokens: int = 0
    reserved_cost: int = 0
    price: str | None = None
    last_at: int = 0
    """When the last of them was admitted (Unix time, seconds; 0: none)."""

    def reserve(self, amounts: Amounts) -> None:
        """Add what a request has reserved."""
        self.requests += amounts.requests
        self.reserved_tokens += amounts.tokens
        self.reserved_cost += amounts.cost

    def release(self, amounts: Amounts) -> None:
        """Take off what a request had reserved."""
        self.reserve(NOTHING.minus(amounts))

    def settle(self, reserved: Amounts, tokens: TokenUsage, cost: int, price: str | None) -> None:
        """Replace what a request had reserved by what it used. `cost` is in micro-dollars."""
        self.reserved_tokens -= reserved.tokens
        self.reserved_cost -= reserved.cost
        self.input_tokens += tokens.input
        self.cached_tokens += tokens.cached_input
        self.output_tokens += tokens.output
        self.reasoning_tokens += tokens.reasoning
        self.audio_tokens += tokens.audio_input + tokens.audio_output
        self.cost += cost
        self.price = price or self.price

    def add(self, other: "Use") -> None:
        """Add what came later."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.price = other.price or self.price
        self.last_at = max(self.last_at, other.last_at)


_COUNTS = (
    "requests", "refused", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens",
    "audio_tokens", "cost", "reserved_tokens", "reserved_cost",
)  # fmt: skip


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
    if "price" in columns:
        counts.append("price")
        added["price"] = func.coalesce(insert.excluded.price, columns.price)
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


async def of_key(session: AsyncSession, api_key_id: str, since: int) -> Sequence[UsageDay]:
    """Return a key's usage rows, newest first; `since` as in `by_day`."""
    rows = await session.scalars(
        select(UsageDay)
        .where(UsageDay.api_key_id == api_key_id, UsageDay.day >= since, _SOMETHING)
        .order_by(UsageDay.day.desc(), UsageDay.model, UsageDay.via)
    )
    return rows.all()


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
) -> dict[str, list[tuple[int, int | None, Amounts]]]:
    """Return day, slot and amounts of accounts' keys since a day, by account.

    A deleted key has no slot. An account without use has no entry. Tokens and cost include what
    is reserved.
    """
    rows = await session.execute(
        select(ApiKey.account_id, UsageDay.day, ApiKey.slot, *_amounts_of(UsageDay))
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(ApiKey.account_id.in_(account_ids), UsageDay.day >= since)
        .group_by(ApiKey.account_id, UsageDay.day, ApiKey.slot)
    )
    found: dict[str, list[tuple[int, int | None, Amounts]]] = {}
    for account_id, day, slot, *amounts in rows:
        found.setdefault(account_id, []).append((day, slot, Amounts(*map(int, amounts))))
    return found


async def site_since(session: AsyncSession, since: int) -> Amounts:
    """Return the amounts of all accounts since a day's first second, reserved ones included."""
    query = select(*_amounts_of(UsageSiteDay)).where(UsageSiteDay.day >= since)
    return Amounts(*(int(x or 0) for x in (await session.execute(query)).one()))


def _amounts_of(table: type[UsageDay | UsageSiteDay]) -> list[Any]:
    tokens = table.input_tokens + table.output_tokens + table.reserved_tokens
    return [
        func.sum(table.requests),
        func.sum(tokens),
        func.sum(table.cost + table.reserved_cost),
    ]


async def site_by_day(session: AsyncSession, since: int) -> Sequence[UsageSiteDay]:
    """Return the site's usage by day and model, newest first; `since` as in `by_day`."""
    rows = await session.scalars(
        select(UsageSiteDay)
        .where(UsageSiteDay.day >= since, or_(UsageSiteDay.requests > 0, UsageSiteDay.refused > 0))
        .order_by(UsageSiteDay.day.desc(), UsageSiteDay.model)
    )
    return rows.all()


class AccountUse(NamedTuple):
    """What an account used. `cost` is in micro-dollars."""

    account_id: str
    email: str
    requests: int
    refused: int
    tokens: int
    cost: int


async def by_account(session: AsyncSession, since: int, limit: int | None) -> list[AccountUse]:
    """Return the accounts that cost, or else used, the most since a day. No reserved amounts.

    Without a limit, all accounts with usage. Sums whole weeks, and single days only for the part of a week before them.
    """
    first_week = Window.WEEK.end(Window.WEEK.start(since - 1))
    days = select(UsageDay.api_key_id, *_settled_of(UsageDay)).where(
        UsageDay.day >= since, UsageDay.day < first_week
    )
    weeks = select(UsageKeyWeek.api_key_id, *_settled_of(UsageKeyWeek)).where(
        UsageKeyWeek.week >= first_week
    )
    uses = union_all(days, weeks).subquery()
    sums = [func.sum(uses.c[name]) for name in ("requests", "refused", "tokens", "cost")]
    served, refused, _, cost = sums
    rows = await session.execute(
        select(Account.id, Account.email, *sums)
        .join(ApiKey, ApiKey.id == uses.c.api_key_id)
        .join(Account, Account.id == ApiKey.account_id)
        .group_by(Account.id, Account.email)
        .having(or_(served > 0, refused > 0))
        .order_by(cost.desc(), served.desc(), Account.email)
        .limit(limit)
    )
    return [
        AccountUse(account_id, email, *map(int, amounts)) for account_id, email, *amounts in rows
    ]


def _settled_of(table: type[UsageDay | UsageKeyWeek]) -> list[Any]:
    tokens = (table.input_tokens + table.output_tokens).label("tokens")
    return [table.requests, table.refused, tokens, table.cost]


async def of_day(session: AsyncSession, day: int) -> Sequence[tuple[UsageDay, str | None]]:
    """Return the usage rows of one day with their account's e-mail address, in its order.

    A row whose account was deleted has no address. `day` is Unix time of its first second.
    """
    rows = await session.execute(
        select(UsageDay, Account.email)
        .outerjoin(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .outerjoin(Account, Account.id == ApiKey.account_id)
        .where(UsageDay.day == day, _SOMETHING)
        .order_by(Account.email, UsageDay.api_key_id, UsageDay.model, UsageDay.via)
    )
    return [(use, email) for use, email in rows]
