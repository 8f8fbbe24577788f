"""Accounts are served while slots of a real Cluster move from node to node."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.crc import key_slot

from daypass.quota.redis.ledger import RedisLedger
from tests.quota.stores import Notebook, admit, claims_of, per_day, race, refuse, used
from tests.support.redis import RedisCluster


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
async def ledger(cluster: RedisCluster, notebook: Notebook) -> AsyncIterator[RedisLedger]:
    ledger = RedisLedger(cluster.url, notebook)
    await ledger.start()
    yield ledger
    await ledger.close()


def slot_of(account: str) -> int:
    return key_slot(f"daypass:{{{account}}}".encode())


@pytest.mark.parametrize("where", ["not yet moved", "moved", "half moved", "new"])
async def test_an_account_is_served_and_counted_while_its_slot_moves(
    cluster: RedisCluster, ledger: RedisLedger, where: str
) -> None:
    """With counters on the old node, on the new one, split between them, or missing."""
    account = f"moving, {where}"
    claims = claims_of(per_day(10), account=account, ceiling=10)
    slot = slot_of(account)
    before = [await admit(ledger, claims) for _ in range(3)] if where != "new" else []
    source, target = cluster.begin_to_move(slot)
    if where == "moved":
        assert len(cluster.move_keys(slot, source, target)) == 4
    if where == "half moved":
        cluster.move_keys(slot, source, target, "*}:*")
    # A new process is redirected too.
    other = RedisLedger(cluster.url, Notebook())
    await other.start()
    during = [await admit(x, claims) for x in (ledger, other, ledger)]
    taken = len(before) + len(during)
    assert await used(other, claims) == [taken, taken]
    # A unit is given back once, whenever it was taken.
    for owner, reservation in ((ledger, during[0]), *((ledger, x) for x in before[:1])):
        assert await owner.release(reservation)
        taken -= 1
    assert await used(ledger, claims) == [taken, taken]
    cluster.move_keys(slot, source, target)
    cluster.finish_moving(slot, target)
    assert await used(ledger, claims) == [taken, taken]
    assert await ledger.release(during[2])
    assert await used(other, claims) == [taken - 1, taken - 1]
    assert await race([ledger, other], claims, 20) == 11 - taken
    assert (await refuse(ledger, claims)).hit.used == 10
    await other.close()


async def test_a_call_repeated_while_its_slot_moves_counts_once(
    cluster: RedisCluster, ledger: RedisLedger
) -> None:
    """A cancelled call gives back its unit, even if the script ran with one key."""
    claims = claims_of(per_day(10), account="impatient", ceiling=10)
    await admit(ledger, claims)
    slot = slot_of("impatient")
    source, target = cluster.begin_to_move(slot)
    for moved in (False, True):
        if moved:
            cluster.move_keys(slot, source, target)
        waiting = asyncio.create_task(ledger.reserve(claims))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(5):
            while await used(ledger, claims) != [1, 1]:
                await asyncio.sleep(0.02)
    cluster.finish_moving(slot, target)
    assert await used(ledger, claims) == [1, 1]


async def test_the_site_is_served_while_its_slot_moves(
    cluster: RedisCluster, ledger: RedisLedger
) -> None:
    claims = claims_of(per_day(100), account="somebody", site=1000)
    before = (await used(ledger, claims))[-1]
    await admit(ledger, claims)
    slot = slot_of("site")
    source, target = cluster.begin_to_move(slot)
    assert await race([ledger], claims, 40) == 40
    cluster.move_keys(slot, source, target)
    other = RedisLedger(cluster.url, Notebook())
    await other.start()
    assert await race([other], claims, 40) == 40
    cluster.finish_moving(slot, target)
    await other.close()
    async with asyncio.timeout(5):
        while (await used(ledger, claims))[-1] != before + 81:
            await asyncio.sleep(0.05)
