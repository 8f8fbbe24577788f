"""Usage is retried until it is written, and written only once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.key_format import mint
from daypass.domain.plans import Limit, Measure, Window
from daypass.enforcement.usage_recovery import RecordedUse
from daypass.quota.counters import SECOND, Moment
from daypass.quota.ledger import Claim, LedgerUnavailableError, Subject
from daypass.records import accounts, api_keys, usage, usage_writers
from daypass.records import recorder as recorder_module
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.recorder import Recorder
from daypass.records.schema import upgrade
from daypass.records.usage import UsageRow, Use

DAY_S = 86_400
MONDAY = 1_795_392_000  # 2026-11-23
ROW = UsageRow(MONDAY, "key_1", "m", "api")
SITE = Claim(Subject("site"), Limit(Measure.REQUESTS, 100, Window.DAY))


async def requests_of(database: Database, table: str) -> int:
    async with database.read() as session:
        found = await session.scalar(text(f"SELECT sum(requests) FROM {table}"))
    return int(found or 0)


class LosesReplies(Database):
    """A database that commits but whose replies are lost."""

    lost = 2

    @asynccontextmanager
    async def write(self, answer_s: float = 1.8) -> AsyncIterator[AsyncSession]:
        async with super().write(answer_s) as session:
            yield session
        if self.lost:
            self.lost -= 1
            raise DatabaseUnavailableError("the reply was lost")


async def test_a_batch_whose_reply_was_lost_is_written_once(database_url: str) -> None:
    await upgrade(database_url)
    database = LosesReplies(database_url)
    recorder = Recorder(database)
    for _ in range(4):
        recorder.use(ROW).add(Use(requests=1, input_tokens=2))
        await recorder.flush()
    assert not recorder.has_pending
    for table in ("usage_day", "usage_site_day", "usage_key_week"):
        assert await requests_of(database, table) == 4
    await recorder.close()
    await database.close()


@pytest.fixture
def postgresql(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("postgres_server").create_database(
        f"test_{id(request):x}_{request.node.name[:30]}"
    )
    return url


@contextmanager
def index_being_created(url: str) -> Iterator[None]:
    """Hold CREATE INDEX's lock on the usage table, which allows reads but no writes."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE usage_day IN SHARE MODE")
        yield


async def test_lost_counters_wait_for_unwritten_usage(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(postgresql)
    database = Database(postgresql)
    recorder = Recorder(database)
    recorder.start()
    records = RecordedUse(database, lambda: MONDAY)
    noon = Moment((MONDAY + DAY_S // 2) * SECOND)
    with index_being_created(postgresql):
        recorder.use(ROW).add(Use(requests=7))
        while await behind_since(database) is None:
            await asyncio.sleep(0.05)
        rows, age_s = recorder.backlog()
        assert rows == 1
        assert age_s > recorder_module.BEHIND_AFTER_S
        asking = asyncio.create_task(records.used([SITE], noon))
        for _ in range(10):
            await asyncio.sleep(0)  # It has started its usual wait.
        impatient = RecordedUse(database, lambda: MONDAY)
        with monkeypatch.context() as patch:
            patch.setattr("daypass.enforcement.usage_recovery.BEHIND_MAX_S", 0.5)
            with pytest.raises(LedgerUnavailableError, match="still being written"):
                await impatient.used([SITE], noon)
        assert not asking.done()
    assert await asking == [7]
    assert not recorder.has_pending
    await recorder.close()
    async with database.read() as session:
        assert (await session.scalar(text("SELECT count(*) FROM usage_writer"))) == 0
    await database.close()


async def behind_since(database: Database) -> int | None:
    async with database.read() as session:
        return (await usage_writers.behind_since(session))[1]


async def test_a_crashed_process_is_not_waited_for_indefinitely(
    database: Database,
) -> None:
    async with database.write() as session:
        await usage_writers.announce(session, "killed", 5_000)
    assert await behind_since(database) is not None
    async with database.write() as session:
        gone = usage_writers.GONE_AFTER_MS + 1
        await session.execute(text(f"UPDATE usage_writer SET seen_at = seen_at - {gone}"))
    assert await behind_since(database) is None
    async with database.write() as session:
        await usage_writers.retire(session, "another")
    async with database.read() as session:
        assert (await session.scalar(text("SELECT count(*) FROM usage_writer"))) == 0


async def test_a_long_backlog_is_overdue_until_it_is_written(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MAX_BEHIND_S", 0.2)
    await upgrade(postgresql)
    database = Database(postgresql)
    recorder = Recorder(database)
    recorder.start()
    with index_being_created(postgresql):
        recorder.use(ROW).add(Use(requests=1))
        while not recorder.is_overdue:
            await asyncio.sleep(0.05)
    while recorder.is_overdue:
        await asyncio.sleep(0.05)
    assert await requests_of(database, "usage_day") == 1
    await recorder.close()
    await database.close()


async def test_a_process_that_was_suspended_is_not_overdue(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MAX_BEHIND_S", -1)
    recorder = Recorder(database)
    recorder.use(ROW).add(Use(requests=1))
    recorder.check_backlog()
    assert not recorder.is_overdue
    recorder.check_backlog()
    assert recorder.is_overdue
    await recorder.close()


async def test_usage_sums_agree_with_the_daily_rows(database: Database) -> None:
    days = [MONDAY + offset * DAY_S for offset in (-8, -7, -1, 0, 3, 6, 7)]
    rows = {
        UsageRow(day, key, model, "api"): Use(requests=number, refused=1)
        for number, day in enumerate(days, 1)
        for key in ("a", "b")
        for model in ("m", "n")
    }
    async with database.write() as session:
        await usage.add(session, rows)
    async with database.read() as session:
        for since in range(MONDAY - 9 * DAY_S, MONDAY + 9 * DAY_S, DAY_S):
            wanted = sum(use.requests for row, use in rows.items() if row.day >= since)
            assert (await usage.site_since(session, since)).requests == wanted
            by_model = await usage.site_by_day(session, since)
            assert sum(row.requests for row in by_model) == wanted


async def test_site_usage_is_read_from_sums(
    database: Database,
) -> None:
    """A year of a large site has millions of rows, too many to read for one response."""
    async with database.write() as session:
        account = await accounts.create(session, "ann@example.org", "", MONDAY)
        key = await api_keys.create(
            session, account.id, mint(), name="k", usage_plan_id="p", max_keys=1, now=MONDAY
        )
        rows = {
            UsageRow(MONDAY + number * DAY_S, key.id, "m", "api"): Use(
                requests=1, input_tokens=1, output_tokens=2, cost=2
            )
            for number in range(-1, 14)
        }
        await usage.add(session, rows)
    sunday = MONDAY - DAY_S
    async with database.read() as session:
        assert await usage.by_account(session, sunday, 10) == [
            (account.id, "ann@example.org", 15, 0, 45, 30)
        ]
        assert await usage.by_account(session, MONDAY + DAY_S, 10) == [
            (account.id, "ann@example.org", 13, 0, 39, 26)
        ]
    async with database.write() as session:
        await session.execute(text("DELETE FROM usage_day"))
    async with database.read() as session:
        assert await usage.by_account(session, sunday, 10) == [
            (account.id, "ann@example.org", 14, 0, 42, 28)
        ]
        assert sum(row.requests for row in await usage.site_by_day(session, sunday)) == 15


async def test_a_migration_sums_existing_usage(database_url: str) -> None:
    await upgrade(database_url)
    database = Database(database_url)
    rows = {
        UsageRow(MONDAY + number * DAY_S, key, model, "api"): Use(requests=number + 20, refused=1)
        for number in range(-9, 9)
        for key in ("a", "b")
        for model in ("m", "n")
    }
    async with database.write() as session:
        await usage.add(session, rows)
    before = await sums(database)
    await database.close()
    for revision in ("0008", "head"):
        await upgrade(database_url, revision)
    database = Database(database_url)
    assert await sums(database) == before
    await database.close()


async def sums(database: Database) -> list[list[tuple[object, ...]]]:
    async with database.read() as session:
        return [
            [tuple(row) for row in await session.execute(text(f"SELECT * FROM {table} {order}"))]
            for table, order in (
                ("usage_site_day", "ORDER BY day, model"),
                ("usage_key_week", "ORDER BY week, api_key_id"),
            )
        ]
