"""Lost messages: a repeated, late or abandoned decision counts once or not at all."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import redis

from daypass.domain.plans import Window
from daypass.quota.ledger import DECISION_S, LedgerUnavailableError
from daypass.quota.redis import call
from daypass.quota.redis.ledger import RedisLedger
from daypass.quota.redis.scripts import GIVE
from tests.quota.lossy import LossyWire
from tests.quota.stores import Notebook, admit, claims_of, per, per_day, used
from tests.support.redis import Redis

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


async def test_a_decision_with_a_lost_reply_is_repeated_and_counts_once(
    wire: LossyWire, ledger: RedisLedger
) -> None:
    wire.replies_to_lose = 1
    reservation = await admit(ledger, CLAIMS)
    assert wire.replies_to_lose == 0
    assert [x.used for x in reservation.buckets] == await used(ledger, CLAIMS) == [1, 1, 1]


async def test_a_decision_with_all_replies_lost_is_given_back(
    wire: LossyWire, ledger: RedisLedger
) -> None:
    await admit(ledger, CLAIMS)
    wire.replies_to_lose = 2
    with pytest.raises(LedgerUnavailableError):
        await ledger.reserve(CLAIMS)
    assert wire.replies_to_lose == 0
    assert await used(ledger, CLAIMS) == [1, 1, 1]


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_give_back_with_a_lost_reply_counts_once(
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


async def test_a_lost_reply_does_not_lose_site_units(wire: LossyWire, ledger: RedisLedger) -> None:
    claims = claims_of(per_day(1000), site=640)
    wire.replies_to_lose = 2
    with pytest.raises(LedgerUnavailableError):
        await ledger.reserve(claims)
    await admit(ledger, claims)
    assert await used(ledger, claims) == [1, 1]


async def test_a_decision_that_arrives_after_its_deadline_takes_nothing(
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


async def test_a_late_and_repeated_give_back_counts_once(
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


async def test_a_give_back_that_redis_has_forgotten_is_not_repeated(
    redis_server: Redis, wire: LossyWire, ledger: RedisLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node may be unavailable for longer than it remembers calls."""
    claims = claims_of(per_day(10), ceiling=20)
    await ledger.release(await admit(ledger, claims))  # Load the script.
    await admit(ledger, claims)
    reservation = await admit(ledger, claims)
    monkeypatch.setattr(call, "VALID_S", 1)
    wire.replies_to_lose = 2
    with pytest.raises(LedgerUnavailableError):
        await ledger.release(reservation)
    await asyncio.sleep(call.VALID_S + 0.1)
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.getdel(f"daypass:{{ann}}:{reservation.id.split()[0]}") == b"closed"
    assert await used(ledger, claims) == [1, 1]
    assert await used(ledger, claims) == [1, 1]


def test_a_call_is_remembered_for_longer_than_it_is_valid() -> None:
    remembered = re.search(r"^local REMEMBER = (\d+)$", GIVE.text, re.MULTILINE)
    assert remembered is not None
    assert int(remembered[1]) > call.VALID_S + DECISION_S
