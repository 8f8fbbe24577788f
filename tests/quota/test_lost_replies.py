"""What the network loses: a decision made twice, late or for nobody counts once or not at all."""

from collections.abc import AsyncIterator

import pytest

from daypass.plans import Window
from daypass.quota.ledger import LedgerUnavailableError
from daypass.quota.redis import RedisLedger
from tests.quota.lossy import LossyWire
from tests.quota.stores import Notebook, admit, claims_of, per, per_day, used
from tests.redis import Redis

CLAIMS = claims_of(per_day(10), per(Window.HOUR, 10), ceiling=20)


@pytest.fixture
async def wire(redis_server: Redis) -> AsyncIterator[LossyWire]:
    redis_server.empty()
    wire = LossyWire(redis_server.url)
    yield wire
    await wire.close()


@pytest.fixture
async def ledger(wire: LossyWire) -> AsyncIterator[RedisLedger]:
    ledger = RedisLedger(await wire.start(), Notebook())
    await ledger.start()
    yield ledger
    await ledger.close()


async def test_a_decision_whose_reply_is_lost_is_repeated_and_counts_once(
    wire: LossyWire, ledger: RedisLedger
) -> None:
    wire.replies_to_lose = 1
    reservation = await admit(ledger, CLAIMS)
    assert wire.replies_to_lose == 0
    assert [x.used for x in reservation.buckets] == await used(ledger, CLAIMS) == [1, 1, 1]


async def test_a_decision_whose_replies_are_all_lost_is_given_back(
    wire: LossyWire, ledger: RedisLedger
) -> None:
    await admit(ledger, CLAIMS)
    wire.replies_to_lose = 2
    with pytest.raises(LedgerUnavailableError):
        await ledger.reserve(CLAIMS)
    assert wire.replies_to_lose == 0
    assert await used(ledger, CLAIMS) == [1, 1, 1]


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_unit_whose_give_back_gets_no_reply_comes_back_once(
    wire: LossyWire, ledger: RedisLedger, lost: int
) -> None:
    await admit(ledger, CLAIMS)
    reservation = await admit(ledger, CLAIMS)
    wire.replies_to_lose = lost
    if lost == 1:
        assert await ledger.release(reservation)
    else:
        with pytest.raises(LedgerUnavailableError):
            await ledger.release(reservation)
    assert wire.replies_to_lose == 0
    assert await used(ledger, CLAIMS) == [1, 1, 1]


async def test_the_sites_units_are_not_lost_with_a_reply(
    wire: LossyWire, ledger: RedisLedger
) -> None:
    claims = claims_of(per_day(1000), site=640)
    wire.replies_to_lose = 2
    with pytest.raises(LedgerUnavailableError):
        await ledger.reserve(claims)
    await admit(ledger, claims)
    assert await used(ledger, claims) == [1, 1]


async def test_a_decision_that_arrives_after_it_was_given_up_takes_nothing(
    wire: LossyWire, ledger: RedisLedger
) -> None:
    await admit(ledger, CLAIMS)
    wire.holds = True
    with pytest.raises(LedgerUnavailableError):
        await ledger.reserve(CLAIMS)
    wire.holds = False
    assert await used(ledger, CLAIMS) == [1, 1, 1]
    await wire.deliver()
    assert await used(ledger, CLAIMS) == [1, 1, 1]


async def test_a_give_back_that_arrives_late_and_was_repeated_counts_once(
    wire: LossyWire, ledger: RedisLedger
) -> None:
    await admit(ledger, CLAIMS)
    reservation = await admit(ledger, CLAIMS)
    wire.holds = True
    with pytest.raises(LedgerUnavailableError):
        await ledger.release(reservation)
    wire.holds = False
    assert await used(ledger, CLAIMS) == [1, 1, 1]
    await wire.deliver()
    assert await used(ledger, CLAIMS) == [1, 1, 1]
