"""Faults specific to the ledger in Redis."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from daypass.quota.ledger import Lease, LedgerUnavailableError, Refusal, Reservation, Subject
from daypass.quota.redis.ledger import RedisLedger
from tests.quota.stores import DAY, Notebook, admit, claims_of, per_day, race, refuse, used
from tests.support.redis import Redis, RedisCluster, Sentinel


@pytest.fixture
def server() -> Iterator[Redis]:
    """A server for one test, which may damage it."""
    server = Redis()
    server.start()
    yield server
    server.remove()


@pytest.fixture
async def ledger(server: Redis) -> AsyncIterator[RedisLedger]:
    ledger = RedisLedger(server.url, Notebook())
    await ledger.start()
    yield ledger
    await ledger.close()


async def test_a_killed_redis_is_an_error_in_time_and_is_reconnected(
    server: Redis, ledger: RedisLedger
) -> None:
    claims = claims_of(per_day(10), ceiling=10)
    await admit(ledger, claims)
    server.kill()
    for _ in range(2):
        with pytest.raises(LedgerUnavailableError):
            await asyncio.wait_for(ledger.reserve(claims), 2)
    server.start()
    await admit(ledger, claims)
    assert await used(ledger, claims) == [2, 2]


async def test_a_hanging_redis_is_an_error_in_time_and_takes_nothing(
    server: Redis, ledger: RedisLedger
) -> None:
    claims = claims_of(per_day(10), ceiling=10)
    await admit(ledger, claims)
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        waiting = [asyncio.wait_for(ledger.reserve(claims), 2) for _ in range(5)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert all(isinstance(x, LedgerUnavailableError) for x in outcomes)
    await admit(ledger, claims)
    # Decisions that the hung server carried out later were given back.
    assert await used(ledger, claims) == [2, 2]


async def test_scripts_missing_on_the_server_are_loaded_again(
    server: Redis, ledger: RedisLedger
) -> None:
    import redis

    claims = claims_of(per_day(10))
    await admit(ledger, claims)
    with redis.Redis.from_url(server.url) as client:
        client.script_flush()
    await admit(ledger, claims)
    assert await used(ledger, claims) == [2]


async def test_every_key_expires(server: Redis, ledger: RedisLedger) -> None:
    import redis

    await race([ledger], claims_of(per_day(10), ceiling=20, site=100), 30)
    with redis.Redis.from_url(server.url) as client:
        keys = list(client.scan_iter())
        assert keys
        assert all(client.ttl(key) > 0 for key in keys)


async def test_an_unreachable_redis_is_reported() -> None:
    with pytest.raises(LedgerUnavailableError, match="Redis"):
        await RedisLedger("redis://127.0.0.1:1/0", Notebook()).start()


async def test_a_cluster_of_three_nodes_counts_exactly(cluster: RedisCluster) -> None:
    ledgers = [RedisLedger(cluster.url, Notebook()) for _ in range(3)]
    for ledger in ledgers:
        await ledger.start()
    people = [
        claims_of(per_day(10), account=f"person {number}", ceiling=12, site=100)
        for number in range(12)
    ]
    admitted = await asyncio.gather(*(race(ledgers, claims, 30) for claims in people))
    assert sum(admitted) == 100
    assert max(admitted) <= 10
    assert [await used(ledgers[0], claims) for claims in people] == [
        [count, count, 100] for count in admitted
    ]
    reservation = await admit(ledgers[1], claims_of(per_day(1), account="one more"))
    assert await ledgers[1].release(reservation)
    assert not await ledgers[1].release(reservation)
    assert await used(ledgers[2], claims_of(per_day(1), account="one more")) == [0]
    await admit(ledgers[0], claims_of())
    assert (await refuse(ledgers[0], claims_of(site=100))).hit.used == 100
    await admit(ledgers[0], claims_of(site=101))
    # So are open requests, whichever node holds the account.
    for number in range(12):
        key = Subject("key", f"person {number}", 1)
        leases = [ledgers[i % 3].acquire_lease(Lease(key, f"req_{i}"), 4) for i in range(9)]
        assert sum(x.is_admitted for x in await asyncio.gather(*leases)) == 4
    for ledger in ledgers:
        await ledger.close()


async def test_a_dead_cluster_node_fails_only_its_own_accounts(
    cluster: RedisCluster,
) -> None:
    ledger = RedisLedger(cluster.url, Notebook())
    await ledger.start()
    people = [claims_of(per_day(10), account=f"of node {number}") for number in range(12)]

    async def admitted_in_time() -> list[bool]:
        calls = (asyncio.wait_for(ledger.reserve(claims), 2) for claims in people)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        unexpected = (Exception, Refusal)
        assert not [
            x
            for x in outcomes
            if isinstance(x, unexpected) and not isinstance(x, LedgerUnavailableError)
        ]
        return [isinstance(x, Reservation) for x in outcomes]

    async def all_admitted_again() -> None:
        deadline = time.monotonic() + 30
        while not all(await admitted_in_time()):
            assert time.monotonic() < deadline

    assert all(await admitted_in_time())
    cluster.kill(0)
    try:
        for _ in range(3):
            admitted = await admitted_in_time()
            assert any(admitted)
            assert not all(admitted)
    finally:
        cluster.restart(0)
    await all_admitted_again()

    for number in range(3):
        cluster.kill(number)
    try:
        for _ in range(2):
            assert not any(await admitted_in_time())
    finally:
        for number in range(3):
            cluster.restart(number, wait=number == 2)
    await all_admitted_again()
    await ledger.close()


@pytest.mark.soak
@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_a_cluster_continues_on_the_replica_of_a_failed_master(how: str) -> None:
    cluster = RedisCluster()
    notebook = Notebook()
    claims = [claims_of(per_day(10), account=f"person {number}") for number in range(12)]
    admitted = [0] * len(claims)
    ledger = RedisLedger(cluster.url, notebook)

    async def call(number: int) -> bool:
        """Return whether a decision was made."""
        try:
            outcome = await ledger.reserve(claims[number])
        except LedgerUnavailableError:
            return False
        if isinstance(outcome, Reservation):
            admitted[number] += 1
            day = int(outcome.at) // DAY * DAY
            notebook.units.update((x.claim.name, day) for x in outcome.buckets)
        return True

    async def call_all() -> bool:
        return all(await asyncio.gather(*map(call, range(len(claims)))))

    try:
        await asyncio.to_thread(cluster.start)
        await asyncio.to_thread(cluster.add_replica, 0)
        await ledger.start()
        for _ in range(3):
            assert await call_all()
        cluster.kill(0) if how == "killed" else cluster.stop(0)
        assert not await call_all()
        async with asyncio.timeout(60):
            while not await call_all():
                pass
        for _ in range(10):
            await call_all()
        assert admitted == [10] * len(claims)
        await ledger.close()
    finally:
        cluster.remove()


async def test_an_unreachable_cluster_is_reported() -> None:
    with pytest.raises(LedgerUnavailableError):
        await RedisLedger("redis+cluster://127.0.0.1:1", Notebook()).start()


async def test_the_server_is_found_through_a_sentinel(server: Redis) -> None:
    sentinel = Sentinel(server)
    sentinel.start()
    try:
        ledger = RedisLedger(sentinel.url, Notebook())
        await ledger.start()
        claims = claims_of(per_day(10), ceiling=10, site=8)
        assert await race([ledger], claims, 20) == 8
        await ledger.close()
    finally:
        sentinel.remove()
