"""Many transactions at once, and databases that stop answering, on both databases."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from daypass.records import database as database_module
from daypass.records.database import (
    ANSWER_S,
    CommitUnknownError,
    Database,
    DatabaseUnavailableError,
)
from daypass.records.schema import upgrade
from daypass.records.write_queue import QueueStalledError, WriteQueue
from tests.faults.wire import FaultyWire
from tests.support.postgres import Postgres
from tests.support.waiting import BUSY_S

ADD = "UPDATE key_revision SET number = number + 1"


async def count(database: Database) -> int:
    async with database.read() as session:
        number: int = await session.scalar(text("SELECT number FROM key_revision"))
    return number


async def test_many_concurrent_transactions_are_all_served(database: Database) -> None:
    before = await count(database)

    async def add() -> None:
        async with database.write() as session:
            await session.execute(text(ADD))
            # As with a slow disk or a distant database.
            await asyncio.sleep(0.02)

    began = time.monotonic()
    await asyncio.gather(*(add() for _ in range(150)))
    assert await count(database) == before + 150
    assert time.monotonic() - began > ANSWER_S


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """A database locked against writes."""
    holder = Database(url)
    async with holder._engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        await connection.execute(text("SELECT 1" if is_sqlite else "LOCK TABLE key_revision"))
        yield
        await connection.rollback()
    await holder.close()


async def test_transactions_queued_behind_a_hung_database_are_refused(
    database: Database, database_url: str
) -> None:
    before = await count(database)

    async def add() -> None:
        async with database.write() as session:
            await session.execute(text(ADD))

    async with locked(database_url):
        began = time.monotonic()
        outcomes = await asyncio.gather(*(add() for _ in range(60)), return_exceptions=True)
        assert time.monotonic() - began < ANSWER_S + BUSY_S
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailableError}
    assert await count(database) == before
    await add()
    assert await count(database) == before + 1


async def test_turns_are_granted_in_order_and_cancelled_waiters_skipped() -> None:
    queue = WriteQueue(1, 10)
    served = []

    async def take(number: int) -> None:
        async with queue.turn():
            served.append(number)

    async with queue.turn():
        waiting = [asyncio.create_task(take(number)) for number in range(5)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        await asyncio.sleep(0)
    waiting[2].cancel()  # Its turn has just come or is about to come.
    await asyncio.gather(*waiting, return_exceptions=True)
    assert served == [number for number in (0, 2, 3, 4) if number in served]
    assert {0, 3, 4} <= set(served)
    await asyncio.wait_for(take(5), 1)


async def test_waiting_in_a_stalled_queue_times_out() -> None:
    queue = WriteQueue(1, 0.05)
    async with queue.turn():
        with pytest.raises(QueueStalledError):
            async with queue.turn():
                pass
    async with queue.turn():
        pass


SLOW_COMMIT = """
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slowly AFTER UPDATE ON key_revision
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly();
"""


def commit_takes(url: str, seconds: float) -> None:
    """Delay PostgreSQL's COMMIT, not the statement."""
    with psycopg.connect(url) as connection:
        connection.execute(SLOW_COMMIT.format(seconds=seconds))


@pytest.fixture
async def postgres_url(postgres_server: Postgres, tmp_path: Path) -> str:
    url = postgres_server.create_database(f"test_{tmp_path.name.replace('-', '_').lower()}")
    await upgrade(url)
    return url


async def test_the_outcome_of_a_commit_is_awaited_beyond_the_deadline(postgres_url: str) -> None:
    database = Database(postgres_url)
    before = await count(database)
    commit_takes(postgres_url, ANSWER_S + 0.5)
    async with database.write() as session:
        await session.execute(text(ADD))
    assert await count(database) == before + 1
    await database.close()


async def test_a_commit_without_a_reply_has_an_unknown_outcome(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "COMMIT_S", 0.8)
    port = int(postgres_url.rpartition(":")[2].partition("/")[0])
    wire = FaultyWire(port)
    wire.start()
    database = Database(postgres_url.replace(f":{port}/", f":{wire.port}/"))
    commit_takes(postgres_url, 0.2)
    try:
        with pytest.raises(CommitUnknownError):
            async with database.write() as session:
                await session.execute(text(ADD))
                asyncio.get_running_loop().call_later(0.1, setattr, wire, "fault", "stall")
    finally:
        wire.fault = None
        await database.close()
        wire.stop()
