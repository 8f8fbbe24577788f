"""Leases limit the open requests of a key. Each test of the contract runs on each ledger."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from daypass.domain.plans import UsagePlan
from daypass.gateway import concurrency
from daypass.gateway.concurrency import HeldLease
from daypass.gateway.errors import GatewayError
from daypass.gateway.principal import Principal
from daypass.quota.counters import SECOND
from daypass.quota.ledger import LEASE_S, Lease, Ledger, LedgerUnavailableError, Subject
from daypass.quota.redis.ledger import RedisLedger
from tests.quota.lossy import LossyWire
from tests.quota.stores import Notebook, RedisStore, SqliteStore, Store
from tests.support.redis import Redis

ONE_AT_ONCE = UsagePlan("one", "One", (), max_concurrent_requests=1)


def lease(number: int, slot: int = 1, account: str = "ann") -> Lease:
    return Lease(Subject("key", account, slot), f"req_{number}")


async def admits(ledger: Ledger, held: Lease, limit: int = 1) -> bool:
    return (await ledger.acquire_lease(held, limit)).is_admitted


def held_lease(ledger: Ledger, request_id: str, *, fail_open: bool = False) -> HeldLease:
    principal = Principal("key_1", "ann", 1, ONE_AT_ONCE, (), None)
    return HeldLease(ledger, principal, request_id, fail_open=fail_open)


async def test_64_concurrent_leases_on_several_ledgers_stop_at_the_limit(store: Store) -> None:
    ledgers = [await store.open() for _ in range(3)]
    outcomes = await asyncio.gather(*(ledgers[i % 3].acquire_lease(lease(i), 5) for i in range(64)))
    assert sorted(x.used for x in outcomes if x.is_admitted) == [1, 2, 3, 4, 5]
    assert {x.used for x in outcomes if not x.is_admitted} == {5}


async def test_a_released_lease_frees_its_place_at_once(store: Store) -> None:
    ledger, other = [await store.open() for _ in range(2)]
    assert await admits(ledger, lease(1))
    assert not await admits(other, lease(2))
    ledger.release_lease(lease(1))
    assert await admits(ledger, lease(2))
    assert not await admits(other, lease(3))


async def test_keys_do_not_share_leases_and_a_recreated_key_keeps_its_leases(
    ledger: Ledger,
) -> None:
    for number, (slot, account) in enumerate([(1, "ann"), (2, "ann"), (1, "bob")]):
        assert await admits(ledger, lease(number, slot, account))
    assert not await admits(ledger, lease(9, slot=1, account="ann"))


async def test_acquiring_a_lease_twice_takes_one_place(ledger: Ledger) -> None:
    for _ in range(2):
        assert (await ledger.acquire_lease(lease(1), 2)).used == 1
    assert await admits(ledger, lease(2), limit=2)
    assert (await ledger.acquire_lease(lease(1), 2))[:2] == (True, 2)
    assert not await admits(ledger, lease(3), limit=2)
    # A lower limit closes no open request.
    assert (await ledger.acquire_lease(lease(3), 1))[:2] == (False, 2)


async def test_held_leases_are_counted_by_key_and_expired_ones_are_not(store: Store) -> None:
    ledger, other = [await store.open() for _ in range(2)]
    for number in (1, 2):
        await ledger.acquire_lease(lease(number), 5)
    store.shift_clock(LEASE_S - 5)
    await ledger.acquire_lease(lease(3), 5)
    await ledger.acquire_lease(lease(4, slot=2), 5)
    keys = [lease(0, slot).subject for slot in (1, 2, 3)]
    assert await other.count_leases(keys) == (3, 1, 0)
    store.shift_clock(5)
    assert await other.count_leases(keys) == (1, 1, 0)
    # Reading the count has changed nothing.
    store.shift_clock(-10)
    assert await other.count_leases(keys) == (3, 1, 0)
    assert await other.count_leases([]) == ()


async def test_the_leases_of_a_dead_process_expire(store: Store) -> None:
    dead, ledger = [await store.open() for _ in range(2)]
    assert await admits(dead, lease(1))
    await store.close(dead)
    store.shift_clock(LEASE_S - 5)
    assert not await admits(ledger, lease(2))
    store.shift_clock(5)
    assert await admits(ledger, lease(2))


async def test_a_renewed_lease_is_held(store: Store) -> None:
    ledger = await store.open()
    assert await admits(ledger, lease(1))
    for _ in range(3):
        store.shift_clock(LEASE_S - 5)
        ledger.renew_lease(lease(1))
        assert not await admits(ledger, lease(2))
    store.shift_clock(LEASE_S)
    assert await admits(ledger, lease(2))


async def test_a_clock_step_back_does_not_extend_a_lease(store: Store) -> None:
    ledger = await store.open()
    assert await admits(ledger, lease(1))
    store.shift_clock(-3_600)
    assert not await admits(ledger, lease(2))
    store.shift_clock(LEASE_S)
    assert await admits(ledger, lease(2))


async def test_a_sweep_deletes_expired_leases(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "daypass.db")
    ledger = await store.open()
    try:
        assert await admits(ledger, lease(1))
        store.shift_clock(3_601)
        assert await admits(ledger, lease(2, slot=2))
        assert [x for x, _ in stored(store)] == ["req_2"]
    finally:
        await store.close(ledger)


async def test_renewal_restores_leases_that_redis_has_lost(redis_server: Redis) -> None:
    store = RedisStore(redis_server)
    ledger = await store.open()
    try:
        assert await admits(ledger, lease(1))
        store.forget()
        ledger.renew_lease(lease(1))
        assert not await admits(ledger, lease(2))
    finally:
        await store.close(ledger)


async def test_a_lost_reply_takes_one_lease_and_an_unavailable_redis_takes_none(
    redis_server: Redis,
) -> None:
    redis_server.empty()
    wire = LossyWire(redis_server.url)
    ledger = RedisLedger(await wire.start(), Notebook())
    await ledger.start()
    try:
        wire.replies_to_lose = 1
        assert (await ledger.acquire_lease(lease(1), 2)).used == 1
        assert (await ledger.acquire_lease(lease(2), 2)).used == 2
        wire.holds = True
        closed, opened = await asyncio.gather(
            held_lease(ledger, "req_3").__aenter__(),
            held_lease(ledger, "req_4", fail_open=True).__aenter__(),
            return_exceptions=True,
        )
        assert isinstance(closed, LedgerUnavailableError)
        assert opened is None
    finally:
        wire.holds = False
        await ledger.close()
        await wire.close()


async def test_a_long_request_renews_its_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "RENEW_EVERY_S", 0.01)
    monkeypatch.setattr(concurrency, "LOOK_AGAIN_S", 0)
    store = SqliteStore(tmp_path / "daypass.db")
    ledger = await store.open()
    try:
        async with held_lease(ledger, "req_1"):
            for _ in range(3):
                store.shift_clock(LEASE_S - 5)
                ends = int((store.now + LEASE_S) * SECOND)
                async with asyncio.timeout(30):
                    while stored(store) != [("req_1", ends)]:
                        await asyncio.sleep(0.01)
            with pytest.raises(GatewayError):
                await held_lease(ledger, "req_2").__aenter__()
        async with held_lease(ledger, "req_2"):
            assert not await admits(ledger, lease(1))
        assert await admits(ledger, lease(1))
    finally:
        await store.close(ledger)


async def test_acquiring_waits_for_a_lease_that_is_being_released(ledger: Ledger) -> None:
    assert await admits(ledger, lease(1))
    entering = asyncio.create_task(held_lease(ledger, "req_2").__aenter__())
    await asyncio.sleep(0)  # It tries once before the release.
    ledger.release_lease(lease(1))
    await entering


def stored(store: SqliteStore) -> list[tuple[str, int]]:
    with sqlite3.connect(store.path) as connection:
        rows = connection.execute("SELECT id, expires_at FROM quota_lease").fetchall()
    connection.close()
    return rows
