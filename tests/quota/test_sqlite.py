"""Properties of the embedded ledger's file."""

import asyncio
import contextlib
import resource
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from daypass.domain.plans import Window
from daypass.quota.ledger import Claim, Ledger, LedgerUnavailableError, Subject
from daypass.quota.sqlite import clock
from daypass.quota.sqlite.ledger import SqliteLedger
from tests.quota.stores import (
    DAY,
    NOON,
    SqliteStore,
    admit,
    burst,
    claims_of,
    per,
    per_day,
    race,
    refuse,
    used,
)
from tests.support.waiting import BUSY_S

CLAIMS = claims_of(per_day(50), ceiling=1000)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "daypass.db")


@pytest.fixture
def blocker(store: SqliteStore, ledger: Ledger) -> sqlite3.Connection:
    """Another process that holds the file's write lock until it is closed."""
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


async def test_a_file_that_is_not_a_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "daypass.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(LedgerUnavailableError, match=r"daypass\.db"):
        await SqliteLedger(tmp_path / "daypass.db").start()


async def test_a_locked_file_fails_every_decision_within_2_seconds(
    ledger: Ledger, blocker: sqlite3.Connection
) -> None:
    async def reserve(after: float) -> BaseException | object:
        await asyncio.sleep(after)
        async with asyncio.timeout(2 + BUSY_S):
            return await ledger.reserve(CLAIMS)

    outcomes = await asyncio.gather(
        *(reserve(after / 4) for after in range(8)), return_exceptions=True
    )
    assert [type(x) for x in outcomes] == [LedgerUnavailableError] * 8
    blocker.close()
    await admit(ledger, CLAIMS)
    assert await used(ledger, CLAIMS) == [1, 1]


async def test_a_missing_clock_row_fails_decisions_until_it_is_restored(
    ledger: Ledger, tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "daypass.db")) as file:
        file.execute("DELETE FROM quota_clock")
        file.commit()
        for _ in range(2):
            with pytest.raises(LedgerUnavailableError, match="failed"):
                await ledger.reserve(CLAIMS)
        file.execute("INSERT INTO quota_clock VALUES (1, 0)")
        file.commit()
    await admit(ledger, CLAIMS)


async def test_a_unit_committed_after_the_deadline_is_given_back(
    ledger: Ledger, blocker: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer hangs (here waiting for the lock) and commits after the caller has given up."""
    monkeypatch.setattr("daypass.quota.sqlite.ledger.DECISION_S", 0.3)
    first = asyncio.create_task(ledger.reserve(CLAIMS))
    with pytest.raises(LedgerUnavailableError):
        await first
    blocker.close()
    for _ in range(200):
        if await used(ledger, CLAIMS) == [0, 0]:
            break
        await asyncio.sleep(0.01)
    assert await used(ledger, CLAIMS) == [0, 0]
    assert await race([ledger], CLAIMS, 60) == 50


async def test_a_unit_that_cannot_be_given_back_is_owed(
    ledger: Ledger, blocker: sqlite3.Connection
) -> None:
    blocker.execute("ROLLBACK")
    reservation = await admit(ledger, CLAIMS)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailableError):
        await ledger.release(reservation)
    assert not await ledger.release(reservation)
    blocker.close()
    assert await used(ledger, CLAIMS) == [0, 0]


async def test_owed_units_beyond_the_give_back_cap_stay_used(
    ledger: Ledger, blocker: sqlite3.Connection
) -> None:
    blocker.execute("ROLLBACK")
    cap = Claim(Subject("give_backs", "ann"), per_day(2))
    taken = [await admit(ledger, CLAIMS) for _ in range(5)]
    blocker.execute("BEGIN IMMEDIATE")
    owed = await asyncio.gather(*(ledger.release(x, cap) for x in taken), return_exceptions=True)
    assert all(isinstance(x, LedgerUnavailableError) for x in owed)
    blocker.close()
    assert await used(ledger, (*CLAIMS, cap)) == [3, 3, 2]


async def test_a_full_disk_is_reported_without_losing_counts(ledger: Ledger) -> None:
    await race([ledger], CLAIMS, 5)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        with pytest.raises(LedgerUnavailableError):
            await ledger.reserve(CLAIMS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await used(ledger, CLAIMS) == [5, 5]
    assert await race([ledger], CLAIMS, 60) == 45


async def test_a_corrupt_file_is_reported_and_recovers_from_a_backup(
    store: SqliteStore, ledger: Ledger
) -> None:
    await race([ledger], CLAIMS, 5)
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    good = store.path.read_bytes()
    with store.path.open("r+b") as file:  # Written in place, because the ledger has the file open.
        file.write(b"\xff" * len(good))
    with pytest.raises(LedgerUnavailableError):
        await ledger.reserve(CLAIMS)
    with store.path.open("r+b") as file:
        file.write(good)
    assert await race([ledger], CLAIMS, 60) == 45


async def test_old_buckets_are_swept(store: SqliteStore, ledger: Ledger) -> None:
    await admit(ledger, CLAIMS)
    store.shift_clock(100 * 86_400)
    await ledger.peek(CLAIMS)
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM quota_counter").fetchone() == (0,)


WINDOWS = (Window.HOUR, Window.DAY, Window.WEEK, Window.MONTH)
EVERY_WINDOW = claims_of(*(per(window, 10) for window in WINDOWS), ceiling=10)


async def test_a_clock_a_year_ahead_leaves_this_years_windows_unchanged(
    store: SqliteStore, ledger: Ledger
) -> None:
    assert await race([ledger], EVERY_WINDOW, 4) == 4
    for days in (365, 1):  # A year ahead, two days are used and windows are swept.
        store.shift_clock(days * DAY)
        other = await store.open()
        await admit(other, EVERY_WINDOW)
    store.shift_clock(-366 * DAY)
    (today, *_) = await ledger.peek(claims_of(per_day(10)))
    assert (today.used, today.resets_at) == (4, NOON + DAY // 2)
    assert await used(ledger, EVERY_WINDOW) == [4] * len(EVERY_WINDOW)
    assert await race([ledger], EVERY_WINDOW, 20) == 6
    # The clock was right after all: usage a year ahead counts too.
    store.shift_clock(366 * DAY)
    assert await used(ledger, claims_of(per_day(10))) == [1]
    assert await used(ledger, claims_of(per(Window.MONTH, 10))) == [2]


async def test_a_ledger_a_day_ahead_stays_ahead_until_reset(
    store: SqliteStore, ledger: Ledger
) -> None:
    assert await race([ledger], EVERY_WINDOW, 4) == 4
    store.shift_clock(DAY)
    await admit(ledger, EVERY_WINDOW)
    store.shift_clock(-DAY)
    assert (await admit(ledger, EVERY_WINDOW)).at == NOON + DAY
    assert clock.lead_s(store.path, store.now) == DAY
    clock.reset(store.path)
    assert clock.lead_s(store.path, store.now) == 0
    # This hour and day have the four units from before; week and month all six.
    assert await used(ledger, EVERY_WINDOW) == [4, 4, 6, 6, 4]
    assert (await admit(ledger, EVERY_WINDOW)).at == NOON


async def test_a_burst_refills_after_a_clock_was_a_year_ahead(
    store: SqliteStore, ledger: Ledger
) -> None:
    claims = claims_of(burst(2, per_minute=60))
    store.shift_clock(365 * DAY)
    assert await race([ledger], claims, 5) == 2
    store.shift_clock(-365 * DAY)
    await refuse(ledger, claims)
    store.shift_clock(1)
    await admit(ledger, claims)


async def test_decisions_are_made_beside_a_constantly_writing_process(
    store: SqliteStore, ledger: Ledger
) -> None:
    """A second worker under load holds the lock most of the time, batch after batch."""
    done = threading.Event()

    def write() -> None:
        with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
            while not done.is_set():
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE quota_clock SET latest = latest")
                time.sleep(0.03)
                connection.execute("COMMIT")
                time.sleep(0.0003)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            await admit(ledger, CLAIMS)
    finally:
        done.set()
        await asyncio.to_thread(writer.join)
