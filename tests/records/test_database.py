"""The records on both databases."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from daypass.records import accounts, api_keys, identities, receipts, sign_ups, usage
from daypass.records.database import Database, DatabaseUnavailableError, SqliteConnection
from daypass.records.receipts import Receipt
from daypass.records.recorder import Recorder
from daypass.records.schema import upgrade
from daypass.records.tables import ApiKey, Base
from daypass.records.usage import UsageRow, Use

DAY = 1_795_564_800


def tables(url: str) -> dict[str, set[str]]:
    sync = make_url(url)
    if sync.get_backend_name() == "postgresql":
        sync = sync.set(drivername="postgresql+psycopg")
    engine = create_engine(sync)
    found = inspect(engine)
    columns = {
        name: {column["name"] for column in found.get_columns(name)}
        for name in found.get_table_names()
    }
    engine.dispose()
    return columns


async def test_migrations_create_and_drop_the_tables(database_url: str) -> None:
    wanted = {table.name: set(table.columns.keys()) for table in Base.metadata.sorted_tables}
    for _ in range(2):
        await upgrade(database_url)
        made = tables(database_url)
        assert made.pop("alembic_version")
        assert made == wanted
        await upgrade(database_url, "0008")
        assert "usage_writer" not in tables(database_url)
        await upgrade(database_url, "0005")
        assert "audit_entry" not in tables(database_url)
        await upgrade(database_url, "0001")
        assert "request_receipt" not in tables(database_url)
        await upgrade(database_url, "base")
        assert set(tables(database_url)) == {"alembic_version"}


async def test_processes_that_start_together_run_migrations_once(database_url: str) -> None:
    await asyncio.gather(*(upgrade(database_url) for _ in range(4)))
    database = Database(database_url)
    await database.check_writable()
    await database.close()


async def test_the_oldest_account_of_a_mailbox_owns_it(database_url: str) -> None:
    for revision in ("head", "0006"):
        await upgrade(database_url, revision)
    database = Database(database_url)
    rows = [("1", "ada+2@example.org", 2), ("2", "ada@example.org", 1), ("3", "Bob@x.org", 3)]
    async with database.write() as session:
        for account_id, email, at in rows:
            await session.execute(
                text(
                    "INSERT INTO account (id, email, password_hash, role, created_at) "
                    f"VALUES ('{account_id}', '{email}', 'hash', 'member', {at})"
                )
            )
    await upgrade(database_url)
    async with database.read() as session:
        found = await accounts.list_all(session)
        assert await accounts.is_taken(session, "ada+3@example.org")
    assert [(x.id, x.email_canonical) for x in found] == [
        ("2", "ada@example.org"),
        ("1", None),
        ("3", "bob@x.org"),
    ]
    await database.close()


async def test_concurrent_sign_ups_of_a_mailbox_create_one_account(
    database: Database,
) -> None:
    async def sign_up(number: int) -> bool:
        try:
            async with database.write() as session:
                await accounts.create(session, f"ada+{number}@example.org", "hash", DAY)
        except accounts.EmailTakenError:
            return False
        return True

    assert sorted(await asyncio.gather(*(sign_up(n) for n in range(5)))) == [False] * 4 + [True]


async def test_a_pending_sign_up_is_used_once(database: Database) -> None:
    async with database.write() as session:
        for invitation in (None, "one", None, "two"):
            await sign_ups.create(session, "A@example.org", invitation, DAY)

    async def take(now: int) -> list[str]:
        async with database.write() as session:
            taken = await sign_ups.take(session, "a@example.org", now)
            return sorted(str(row.invitation) for row in taken)

    assert await take(DAY + sign_ups.LIFETIME_S) == []
    taken = await asyncio.gather(*(take(DAY + 1) for _ in range(4)))
    assert sorted(taken) == [[], [], [], ["None", "one", "two"]]


async def test_an_identity_belongs_to_one_account(database: Database) -> None:
    async with database.write() as session:
        first, second = [
            await accounts.create(session, f"{name}@example.org", "", DAY) for name in "ab"
        ]
        for account in (first, second):
            await identities.link(session, "https://idp.example", "x", account.id, DAY)
    async with database.read() as session:
        found = await identities.find_account(session, "https://idp.example", "x")
        assert await identities.find_account(session, "https://other.example", "x") is None
    assert found is not None
    assert found.id == first.id
    async with database.write() as session:
        await accounts.remove(session, first.id)
    async with database.read() as session:
        assert await identities.find_account(session, "https://idp.example", "x") is None


async def test_usage_of_several_writers_adds_up(database: Database) -> None:
    rows = [UsageRow(DAY, f"key_{n}", model, "api") for n in range(5) for model in ("a", "b")]

    async def write(order: list[UsageRow]) -> None:
        recorder = Recorder(database)
        for _ in range(10):
            for row in order:
                recorder.use(row).add(Use(requests=1, input_tokens=3))
            await recorder.flush()
        await recorder.close()

    await asyncio.gather(write(rows), write(rows[::-1]), write(rows[3:] + rows[:3]))
    async with database.read() as session:
        found = (await session.execute(text("SELECT requests, input_tokens FROM usage_day"))).all()
    assert [tuple(row) for row in found] == [(30, 90)] * 10


async def test_usage_includes_the_key_name(database: Database) -> None:
    from daypass.domain.key_format import mint

    async with database.write() as session:
        account = await accounts.create(session, "a@example.org", "hash", DAY)
        key = await api_keys.create(
            session, account.id, mint(), name="laptop", usage_plan_id="x", max_keys=1, now=DAY
        )
        counted = Use(requests=2)
        await usage.add(session, {UsageRow(DAY, key.id, "m", "api"): counted})
        await usage.add(session, {UsageRow(DAY - 86_400, key.id, "m", "api"): counted})
        await usage.add(session, {UsageRow(DAY, key.id, "given back", "api"): Use()})
        await api_keys.remove(session, key, DAY)
    async with database.read() as session:
        ((row, name),) = await usage.by_day(session, account.id, DAY)
    assert (row.requests, name) == (2, "laptop")


def receipt(number: int, at: int, api_key_id: str = "key_1") -> Receipt:
    return Receipt(f"req_{number}", at, api_key_id, "m", "api", 200, "counted", "", 1)


async def create_key(database: Database) -> ApiKey:
    from daypass.domain.key_format import mint

    async with database.write() as session:
        account = await accounts.create(session, "a@example.org", "hash", DAY)
        return await api_keys.create(
            session, account.id, mint(), name="laptop", usage_plan_id="x", max_keys=1, now=DAY
        )


async def test_the_last_200_receipts_of_a_week_are_kept(database: Database) -> None:
    now = DAY * 1000
    week = 7 * 86_400_000
    key = await create_key(database)
    mine = key.account_id

    async def add(*batches: tuple[str, Sequence[Receipt]]) -> None:
        async with database.write() as session:
            await receipts.add(session, dict(batches))

    async def kept() -> list[int]:
        async with database.read() as session:
            return [x.at for x, _ in reversed(await receipts.recent(session, mine, 0))]

    async def batches() -> list[int]:
        async with database.read() as session:
            return list(await session.scalars(text("SELECT count FROM receipt_batch ORDER BY at")))

    await add(
        (mine, [receipt(n, now + n, key.id) for n in range(150)]), ("acc_2", [receipt(9_999, now)])
    )
    await add((mine, [receipt(n, now + n, key.id) for n in range(150, 250)]))
    assert await kept() == [now + n for n in range(50, 250)]
    await add((mine, [receipt(n, now + n, key.id) for n in range(250, 350)]))
    assert await kept() == [now + n for n in range(150, 350)]
    assert await batches() == [1, 100, 100]
    await add((mine, [receipt(20_000, now + 349 + week, key.id)]))
    assert await kept() == [now + n for n in range(250, 350)] + [now + 349 + week]


async def test_a_receipt_batch_is_as_recent_as_its_newest_receipt(
    database: Database,
) -> None:
    key = await create_key(database)
    now = DAY * 1000
    ended_last = [receipt(2, now + 60_000, key.id), receipt(1, now, key.id)]
    async with database.write() as session:
        await receipts.add(session, {key.account_id: ended_last})
    async with database.read() as session:
        found = await receipts.recent(session, key.account_id, now + 30_000)
    assert [x.request_id for x, _ in found] == ["req_2"]


async def test_receipts_of_one_millisecond_are_listed_newest_first(database: Database) -> None:
    key = await create_key(database)
    async with database.write() as session:
        at_once = [receipt(number, DAY * 1000, key.id) for number in (1, 2, 3)]
        await receipts.add(session, {key.account_id: at_once})
    async with database.read() as session:
        listed = [x.request_id for x, _ in await receipts.recent(session, key.account_id, 0)]
    assert listed == ["req_3", "req_2", "req_1"]


async def test_a_recorder_keeps_only_the_newest_receipts(database: Database) -> None:
    recorder = Recorder(database)
    for number in range(1000):
        recorder.receipt("acc_1", receipt(number, DAY * 1000 + number))
    await recorder.flush()
    async with database.read() as session:
        count = await session.scalar(text("SELECT sum(count) FROM receipt_batch"))
    assert count == receipts.KEPT


async def test_receipts_written_twice_are_listed_once(database: Database) -> None:
    key = await create_key(database)
    mine = key.account_id
    recorder = Recorder(database)
    for numbers in ([1], [1, 2], [2, 3]):
        for number in numbers:
            recorder.receipt(mine, receipt(number, DAY * 1000 + number, key.id))
        await recorder.flush()
    async with database.read() as session:
        listed = [x.request_id for x, _ in await receipts.recent(session, mine, 0)]
    assert listed == ["req_3", "req_2", "req_1"]


async def test_closing_during_a_write_loses_nothing(database: Database) -> None:
    recorder = Recorder(database)
    recorder.start()
    rows = [UsageRow(DAY, f"key_{number}", "m", "api") for number in range(200)]
    for row in rows:
        recorder.use(row).add(Use(requests=1))
    writing = asyncio.create_task(recorder.flush())
    await asyncio.sleep(0)
    await recorder.close()
    await writing
    async with database.read() as session:
        assert await session.scalar(text("SELECT sum(requests) FROM usage_day")) == len(rows)


async def test_no_session_is_created_for_an_account_that_changed_meanwhile(
    database: Database,
) -> None:
    """A sign-in that was in progress when the account was disabled or its password changed."""
    async with database.write() as session:
        seen = await accounts.create(session, "a@example.org", "hash", DAY)

    async def may_open() -> bool:
        async with database.write() as session:
            return await accounts.is_unchanged(session, seen)

    assert await may_open()
    async with database.write() as session:
        await accounts.set_disabled(session, seen.id, DAY)
    assert not await may_open()
    async with database.write() as session:
        await accounts.set_disabled(session, seen.id, None)
        assert await accounts.set_password(session, seen.id, "hash", "another")
    assert not await may_open()


async def test_a_database_of_a_newer_version_is_not_changed(database_url: str) -> None:
    await upgrade(database_url)
    database = Database(database_url)
    try:
        async with database.write() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(DatabaseUnavailableError, match="revision 9999, which this version"):
            await upgrade(database_url)
    finally:
        await database.close()


async def test_a_connection_stopped_while_closing_is_closed(tmp_path: Path) -> None:
    connection = await SqliteConnection.to(str(tmp_path / "a.db"))
    connection._tx.put_nowait((None, lambda: time.sleep(0.2)))  # The connection is busy.
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    connection.stop()
    await asyncio.wait_for(closing, 30)
