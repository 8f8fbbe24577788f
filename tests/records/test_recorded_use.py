"""The recorded usage from which a ledger restores counters that Redis has lost."""

import asyncio

import pytest
from sqlalchemy import event

from daypass.domain.key_format import mint
from daypass.domain.plans import Amounts, Limit, Measure, UsagePlan, Window
from daypass.domain.usage import TokenUsage
from daypass.enforcement.usage_recovery import RecordedUse
from daypass.quota.counters import SECOND, Moment
from daypass.quota.ledger import LedgerUnavailableError
from daypass.quota.policy import QuotaPolicy
from daypass.records import accounts, api_keys, usage
from daypass.records.database import Database
from daypass.records.usage import UsageRow, Use

DAY = 86_400
TODAY = 1_795_564_800  # Wednesday, 2026-11-25
NOON = Moment((TODAY + DAY // 2) * SECOND)

LIMITS = (
    *(Limit(Measure.REQUESTS, 100, window) for window in Window),
    Limit(Measure.REQUESTS, 1, Window.MINUTE, 1440),
)


async def person(database: Database, email: str, uses: list[dict[int, int]]) -> str:
    """An account with a key for each of `uses`: requests by days ago. Returns its id."""
    async with database.write() as session:
        account = await accounts.create(session, email, "", NOON.us // SECOND)
        for by_day in uses:
            key = await api_keys.create(
                session,
                account.id,
                mint(),
                name="laptop",
                usage_plan_id="p",
                max_keys=5,
                now=NOON.us // SECOND,
            )
            rows = {
                UsageRow(TODAY - ago * DAY, key.id, f"m{model}", "api"): Use(requests=count)
                for ago, count in by_day.items()
                for model in range(2)
            }
            await usage.add(session, rows)
        return account.id


async def recorded(database: Database, account_id: str, slot: int) -> list[int]:
    plan = UsagePlan("p", "p", LIMITS)
    claims = QuotaPolicy.of([plan], 1000, 9000).claims(account_id, slot, plan)
    return list(await RecordedUse(database, lambda: TODAY).used(claims, NOON))


async def test_each_window_sums_the_usage_since_its_first_day(
    database: Database,
) -> None:
    ann = await person(database, "ann@example.org", [{0: 1, 1: 10, 9: 100, 30: 1000}, {0: 7}])
    await person(database, "bob@example.org", [{0: 300, 1: 400}])
    found = await recorded(database, ann, 1)
    per_minute, per_hour, day, week, month, total, burst, account, site = found
    assert per_minute == per_hour == day == 2
    assert week == 22
    assert month == 222
    assert total == 2222
    assert burst == 22  # 1440 units that refill one per minute reach back a day.
    assert account == 16
    assert site == 616
    assert (await recorded(database, ann, 2))[2] == 14


async def test_tokens_and_cost_include_reserved_amounts(database: Database) -> None:
    ann = await person(database, "ann@example.org", [{0: 1}])
    async with database.write() as session:
        (key,) = await api_keys.list_of(session, ann)
        use = Use()
        use.reserve(Amounts(1, 900, 50))
        use.reserve(Amounts(1, 500, 20))
        use.settle(Amounts(1, 900, 50), TokenUsage(input=30, output=12), 7, None)
        await usage.add(session, {UsageRow(TODAY, key.id, "m", "api"): use})
    limits = tuple(Limit(measure, 10_000, Window.DAY) for measure in Measure)
    plan = UsagePlan("p", "p", limits)
    claims = QuotaPolicy.of([plan], None, None).claims(ann, 1, plan)
    found = await RecordedUse(database, lambda: TODAY).used(claims, NOON)
    # The key's, then the account's, which has no ceiling on requests.
    assert found == [4, 542, 27, 542, 27]


async def test_usage_of_a_deleted_key_counts_in_every_slot(database: Database) -> None:
    """Its slot is no longer known, and deleting a key must not reset a limit."""
    ann = await person(database, "ann@example.org", [{0: 5}, {0: 1}])
    async with database.write() as session:
        first = next(x for x in await api_keys.list_of(session, ann) if x.slot == 1)
        await api_keys.remove(session, first, TODAY)
    assert [(await recorded(database, ann, slot))[2] for slot in (1, 2, 3)] == [10, 12, 10]


async def test_concurrent_lookups_of_recorded_use_share_queries(database: Database) -> None:
    ann = await person(database, "ann@example.org", [{0: 5}, {0: 1}])
    bob = await person(database, "bob@example.org", [{0: 7, 1: 3}])
    statements: list[str] = []
    records = RecordedUse(database, lambda: TODAY)
    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *x: statements.append(x[2]))
    plan = UsagePlan("p", "p", LIMITS)
    policy = QuotaPolicy.of([plan], 1000, None)
    accounts_asked = [ann, bob, *(f"acc_{number}" for number in range(300))]
    answers = await asyncio.gather(
        *(records.used(policy.claims(x, 1, plan), NOON) for x in accounts_asked)
    )
    assert [(x[2], x[7]) for x in answers] == [(10, 12), (14, 14), *[(0, 0)] * 300]
    assert len(statements) <= 10


async def test_counters_are_started_once(database: Database) -> None:
    records = RecordedUse(database, lambda: TODAY)
    assert await records.begin("acc_1")
    assert not await records.begin("acc_1")
    assert await records.begin("site")
    together = (records.begin(f"acc_{number}") for number in range(300))
    assert (await asyncio.gather(*together)).count(False) == 1


async def test_an_unavailable_database_is_a_ledger_unavailable_error() -> None:
    away = RecordedUse(Database("postgresql://nobody@127.0.0.1:1/none"), lambda: TODAY)
    with pytest.raises(LedgerUnavailableError, match="cannot be rebuilt"):
        await away.begin("acc_1")
