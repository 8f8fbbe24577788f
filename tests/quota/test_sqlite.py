import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daypass.plans import Limit, Measure, UsagePlan, Window, requests_per_day
from daypass.quota.ledger import Claim, LedgerUnavailableError, Refusal, Reservation, Subject
from daypass.quota.policy import QuotaPolicy
from daypass.quota.sqlite import LEASE_S, SqliteLedger

DAY = 86_400
NOON = 1_795_608_000.0  # 2026-11-25T12:00:00Z


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ledger(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "daypass.db", clock)
    await ledger.start()
    yield ledger
    await ledger.close()


def claims(
    limit: int, account: str = "ann", slot: int = 1, ceiling: int = 1000
) -> tuple[Claim, ...]:
    plan = requests_per_day(limit)
    return QuotaPolicy.of([plan], ceiling, None).claims(account, slot, plan)


async def used(ledger: SqliteLedger, asked: tuple[Claim, ...]) -> list[int]:
    return [state.used for state in await ledger.peek(asked)]


async def test_500_at_once_on_a_limit_of_30_admit_exactly_30(ledger: SqliteLedger) -> None:
    outcomes = await asyncio.gather(*(ledger.reserve(claims(30)) for _ in range(500)))
    admitted = [x for x in outcomes if isinstance(x, Reservation)]
    assert len(admitted) == 30
    assert sorted(x.buckets[0].used for x in admitted) == list(range(1, 31))
    assert await used(ledger, claims(30)) == [30, 30]


async def test_two_processes_on_one_file_share_the_limit(tmp_path: Path, clock: Clock) -> None:
    ledgers = [SqliteLedger(tmp_path / "shared.db", clock) for _ in range(2)]
    for one in ledgers:
        await one.start()
    outcomes = await asyncio.gather(*(ledgers[i % 2].reserve(claims(30)) for i in range(200)))
    assert sum(isinstance(x, Reservation) for x in outcomes) == 30
    for one in ledgers:
        await one.close()


async def test_a_refusal_takes_nothing_from_any_bucket(ledger: SqliteLedger) -> None:
    asked = claims(10, ceiling=3)
    for _ in range(3):
        assert isinstance(await ledger.reserve(asked), Reservation)
    refusal = await ledger.reserve(asked)
    assert isinstance(refusal, Refusal)
    assert refusal.hit.claim.subject == Subject("account", "ann")
    assert await used(ledger, asked) == [3, 3]


async def test_an_accounts_keys_share_its_ceiling(ledger: SqliteLedger) -> None:
    for slot in (1, 2, 3):
        for _ in range(10):
            assert isinstance(await ledger.reserve(claims(10, slot=slot, ceiling=30)), Reservation)
    assert isinstance(await ledger.reserve(claims(20, slot=1, ceiling=30)), Refusal)


async def test_a_limit_of_nothing_admits_nothing(ledger: SqliteLedger) -> None:
    assert isinstance(await ledger.reserve(claims(0)), Refusal)


async def test_release_gives_back_once(ledger: SqliteLedger) -> None:
    reservation = await ledger.reserve(claims(2))
    assert isinstance(reservation, Reservation)
    released = await asyncio.gather(*(ledger.release(reservation) for _ in range(5)))
    assert sorted(released) == [False, False, False, False, True]
    assert await used(ledger, claims(2)) == [0, 0]


async def test_what_is_settled_cannot_be_released(ledger: SqliteLedger) -> None:
    reservation = await ledger.reserve(claims(2))
    assert isinstance(reservation, Reservation)
    ledger.settle(reservation)
    assert not await ledger.release(reservation)
    assert await used(ledger, claims(2)) == [1, 1]


async def test_a_unit_goes_back_to_the_day_it_came_from(ledger: SqliteLedger, clock: Clock) -> None:
    clock.now += DAY / 2 - 1
    before = await ledger.reserve(claims(5))
    assert isinstance(before, Reservation)
    clock.now += 2
    await ledger.reserve(claims(5))
    assert await ledger.release(before)
    assert await used(ledger, claims(5)) == [1, 1]


async def test_a_new_day_starts_from_nothing(ledger: SqliteLedger, clock: Clock) -> None:
    assert isinstance(await ledger.reserve(claims(1)), Reservation)
    assert isinstance(await ledger.reserve(claims(1)), Refusal)
    clock.now += DAY
    assert isinstance(await ledger.reserve(claims(1)), Reservation)


async def test_a_clock_that_steps_back_reopens_no_day(ledger: SqliteLedger, clock: Clock) -> None:
    clock.now += DAY
    assert isinstance(await ledger.reserve(claims(1)), Reservation)
    clock.now -= DAY
    refusal = await ledger.reserve(claims(1))
    assert isinstance(refusal, Refusal)
    assert refusal.hit.resets_at > NOON + DAY


async def test_the_refusal_names_the_limit_that_frees_last(ledger: SqliteLedger) -> None:
    limits = (Limit(Measure.REQUESTS, 1, Window.MINUTE), Limit(Measure.REQUESTS, 1, Window.DAY))
    plan = UsagePlan("p", "p", limits)
    asked = QuotaPolicy.of([plan], None, None).claims("ann", 1, plan)
    await ledger.reserve(asked)
    refusal = await ledger.reserve(asked)
    assert isinstance(refusal, Refusal)
    assert refusal.hit.claim.limit.window is Window.DAY


async def test_who_stops_waiting_gets_the_unit_back(ledger: SqliteLedger) -> None:
    waiting = asyncio.create_task(ledger.reserve(claims(5)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for _ in range(50):
        if await used(ledger, claims(5)) == [0, 0]:
            break
        await asyncio.sleep(0.01)
    assert await used(ledger, claims(5)) == [0, 0]


async def test_counts_survive_a_restart(tmp_path: Path, clock: Clock) -> None:
    for _ in range(3):
        ledger = SqliteLedger(tmp_path / "daypass.db", clock)
        await ledger.start()
        await ledger.reserve(claims(5))
        await ledger.close()
    with sqlite3.connect(tmp_path / "daypass.db") as connection:
        rows = connection.execute("SELECT subject, used FROM quota_bucket ORDER BY subject")
        assert rows.fetchall() == [("account:ann", 3), ("key:ann/1", 3)]


async def test_a_reservation_nobody_closed_is_settled_as_used(
    ledger: SqliteLedger, clock: Clock
) -> None:
    reservation = await ledger.reserve(claims(5))
    assert isinstance(reservation, Reservation)
    clock.now += LEASE_S + 61
    await ledger.peek(())
    assert not await ledger.release(reservation)
    assert await used(ledger, claims(5)) == [1, 1]


async def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "daypass.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(LedgerUnavailableError, match=r"daypass\.db"):
        await SqliteLedger(tmp_path / "daypass.db").start()


async def test_a_locked_file_is_an_error_and_not_a_hang(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    blocker = sqlite3.connect(tmp_path / "daypass.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailableError):
        await asyncio.wait_for(ledger.reserve(claims(5)), 10)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert isinstance(await ledger.reserve(claims(5)), Reservation)
    assert await used(ledger, claims(5)) == [1, 1]
