"""Throttles on both databases."""

import asyncio

import pytest
from sqlalchemy import text

from daypass.domain.retention import Retention
from daypass.records import accounts, throttles
from daypass.records.database import Database
from daypass.records.sweeper import sweep
from daypass.records.throttles import Throttle, ThrottledError

NOW = 1_795_564_800_000
SLOW = Throttle(burst=3, every_s=60)
WIDE = Throttle(burst=5, every_s=10)


async def take(database: Database, *names: str, now: int = NOW) -> int:
    """Return the milliseconds to wait, or 0 if the units were taken."""
    units = {name: WIDE if name == "wide" else SLOW for name in names}
    try:
        async with database.write() as session:
            await throttles.take(session, units, now)
    except ThrottledError as error:
        return error.wait_ms
    return 0


async def test_a_throttle_allows_a_burst_and_then_one_per_interval(database: Database) -> None:
    assert [await take(database, "a") for _ in range(5)] == [0, 0, 0, 60_000, 60_000]
    assert await take(database, "b") == 0
    assert await take(database, "a", now=NOW + 59_999) == 1
    assert await take(database, "a", now=NOW + 60_000) == 0
    assert await take(database, "a", now=NOW + 60_000) == 60_000
    assert [await take(database, "a", now=NOW + 3_600_000) for _ in range(4)] == [0, 0, 0, 60_000]


async def test_several_throttles_are_taken_atomically(database: Database) -> None:
    for _ in range(3):
        assert await take(database, "a", "wide") == 0
    for _ in range(10):
        assert await take(database, "a", "wide") > 0
    assert [await take(database, "wide") for _ in range(3)] == [0, 0, 10_000]


async def test_concurrent_requests_do_not_bypass_the_throttle(database: Database) -> None:
    waits = await asyncio.gather(*(take(database, "a", "wide", "b") for _ in range(9)))
    assert sorted(waits)[:4] == [0, 0, 0, 60_000]


async def test_throttle_units_given_back_are_available_again(database: Database) -> None:
    for _ in range(20):
        assert await take(database, "a") == 0
        async with database.write() as session:
            await throttles.give_back(session, {"a": SLOW})


async def test_expired_throttles_are_swept_and_names_are_not_stored(database: Database) -> None:
    await take(database, "ada@example.org")
    async with database.read() as session:
        (name,) = await session.scalars(text("SELECT name FROM attempts"))
    assert "ada" not in name
    await take(database, "other", now=NOW + 60_000)
    async with database.write() as session:
        account = await accounts.create(session, "ada@example.org", "hash", NOW // 1000)
        for lifetime_s in (60, 61):
            await accounts.open_session(session, account.id, NOW // 1000, lifetime_s)
    await sweep(database, NOW / 1000 + 60, Retention())
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM attempts")) == 1
        assert await session.scalar(text("SELECT count(*) FROM session")) == 1


async def test_a_refusal_is_predicted_without_taking_units(database: Database) -> None:
    async def wait(*names: str) -> int:
        units = {name: WIDE if name == "wide" else SLOW for name in names}
        try:
            async with database.read() as session:
                await throttles.check(session, units, NOW + 1000)
        except ThrottledError as error:
            return error.wait_ms
        return 0

    for _ in range(3):
        assert await wait("a", "wide") == 0
        await take(database, "a")
    assert await wait("a", "wide") == 59_000
    assert await wait("wide") == 0
    async with database.read() as session:
        assert await throttles.taken(session, "a", SLOW, NOW + 1000) == 3
        assert await throttles.taken(session, "a", SLOW, NOW + 60_000) == 2
        assert await throttles.taken(session, "b", SLOW, NOW) == 0


@pytest.mark.parametrize("burst", [1, 2])
async def test_the_burst_of_a_throttle_is_exact(database: Database, burst: int) -> None:
    for _ in range(burst):
        async with database.write() as session:
            await throttles.take(session, {"x": Throttle(burst, 1)}, NOW)
    with pytest.raises(ThrottledError):
        async with database.write() as session:
            await throttles.take(session, {"x": Throttle(burst, 1)}, NOW + 999)
