"""Counters that Redis has lost: rebuilt from the records, never restarted at zero."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from structlog.testing import capture_logs

from daypass.domain.plans import Window
from daypass.quota.counters import Moment
from daypass.quota.ledger import DECISION_S, Claim, LedgerUnavailableError
from daypass.quota.redis.ledger import RedisLedger
from daypass.quota.redis.recovery import SETTLE_S
from daypass.quota.redis.site_lease import RETURN_AFTER_S
from tests.quota.stores import (
    DAY,
    NOON,
    RedisStore,
    admit,
    burst,
    claims_of,
    per,
    per_day,
    race,
    refuse,
    used,
)
from tests.support.redis import Redis
from tests.support.waiting import BUSY_S

TODAY = NOON - NOON % DAY
KEY = "key:ann/1 requests/"
ACCOUNT = "account:ann requests/day"


@pytest.fixture
async def store(redis_server: Redis) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis_server)
    yield store
    for ledger in list(store.ledgers):
        await store.close(ledger)


@pytest.fixture
async def ledger(store: RedisStore) -> RedisLedger:
    return await store.open()


async def test_new_counters_start_at_once_and_query_the_records_once(
    store: RedisStore, ledger: RedisLedger
) -> None:
    began = time.monotonic()
    assert await race([ledger], claims_of(per_day(10), ceiling=20), 64) == 10
    assert time.monotonic() - began < SETTLE_S
    assert store.notebook.begun == {"ann"}
    assert store.notebook.questions == 1
    await refuse(ledger, claims_of(per_day(10), ceiling=20))
    assert store.notebook.questions == 1


async def test_usage_recorded_before_redis_was_used_counts(
    store: RedisStore, ledger: RedisLedger
) -> None:
    """After a move from SQLite to Redis, usage comes from the same records."""
    store.notebook.units[KEY + "day", TODAY] = 7
    claims = claims_of(per_day(10), ceiling=20)
    assert await used(ledger, claims) == [7, 0]
    assert await race([ledger], claims, 5) == 3


async def test_lost_counters_are_rebuilt_after_all_usage_is_written(
    store: RedisStore, ledger: RedisLedger
) -> None:
    other = await store.open()
    claims = claims_of(per_day(10), ceiling=20)
    assert await race([ledger, other], claims, 6) == 6
    store.forget()
    asking = asyncio.gather(race([ledger], claims, 8), race([other], claims, 8))
    await asyncio.sleep(SETTLE_S / 2)
    assert not asking.done()
    store.notebook.units.update({(KEY + "day", TODAY): 6, (ACCOUNT, TODAY): 6})
    assert sum(await asking) == 4
    assert await used(other, claims) == [10, 10]


async def test_each_missing_counter_is_looked_up_in_the_records(
    store: RedisStore, ledger: RedisLedger
) -> None:
    first, second = (claims_of(per_day(10), slot=x, ceiling=20) for x in (1, 2))
    await admit(ledger, first)
    assert await race([ledger], second, 9) == 9
    store.forget()
    store.notebook.units.update({("key:ann/2 requests/day", TODAY): 9, (ACCOUNT, TODAY): 10})
    assert await used(ledger, second) == [9, 10]
    await admit(ledger, first)
    assert await race([ledger], second, 3) == 1


async def test_a_window_that_began_after_a_loss_queries_no_records(
    store: RedisStore, ledger: RedisLedger
) -> None:
    """A plan with other windows needs no query if the counters are older than its windows."""
    store.notebook.units[KEY + "hour", NOON + 2 * 3600] = 100
    await admit(ledger, claims_of(per_day(10)))
    store.shift_clock(2 * 3600)
    asked = store.notebook.questions
    await admit(ledger, claims_of(per_day(10), per(Window.HOUR, 5), burst(2, 10)))
    assert store.notebook.questions == asked


async def test_a_window_that_ends_during_a_rebuild_leaves_no_usage_behind(
    store: RedisStore, ledger: RedisLedger
) -> None:
    store.notebook.units[KEY + "day", TODAY] = 10
    store.notebook.units[KEY + "month", TODAY - 24 * DAY] = 10
    asked = store.notebook.used

    async def used_at_midnight(claims: Sequence[Claim], moment: Moment) -> list[int]:
        answer = await asked(claims, moment)
        store.shift_clock(13 * 3600)
        return answer

    store.notebook.used = used_at_midnight  # type: ignore[method-assign]
    claims = claims_of(per_day(10), per(Window.MONTH, 100))
    outcome = await admit(ledger, claims)
    assert [x.used for x in outcome.buckets] == [1, 11]


async def test_a_lost_burst_restarts_empty(store: RedisStore, ledger: RedisLedger) -> None:
    store.notebook.units[KEY + "burst", 0] = 50
    claims = claims_of(burst(2, 10), per_day(10))
    assert (await refuse(ledger, claims)).hit.used == 2
    store.shift_clock(6)
    await admit(ledger, claims)
    await refuse(ledger, claims)


async def test_units_taken_before_a_loss_are_not_given_back_after_it(
    store: RedisStore, ledger: RedisLedger
) -> None:
    claims = claims_of(per_day(10))
    before = await admit(ledger, claims)
    store.forget()
    store.notebook.units[KEY + "day", TODAY] = 1
    after = await admit(ledger, claims)
    await ledger.release(before)
    assert await used(ledger, claims) == [2]
    await ledger.release(after)
    assert await used(ledger, claims) == [1]


async def test_site_units_leased_by_other_processes_are_void_after_a_loss(
    store: RedisStore, ledger: RedisLedger
) -> None:
    others = [await store.open() for _ in range(3)]
    claims = claims_of(site=640)
    assert await race(others, claims, 3) == 3  # Each holds a dozen more units.
    store.forget()
    store.notebook.units["site requests/day", TODAY] = 3
    await admit(ledger, claims)
    assert 4 + await race([ledger], claims, 700) == 640
    assert await race(others, claims, 100) == 0


@pytest.mark.serial
async def test_site_and_account_counters_are_rebuilt_in_one_wait(
    store: RedisStore, ledger: RedisLedger
) -> None:
    claims = claims_of(per_day(10), site=640)
    await admit(ledger, claims)
    store.forget()
    store.notebook.units.update({("site requests/day", TODAY): 639, (KEY + "day", TODAY): 8})
    # The leased units of the site are returned, and lost, before it asks for more.
    await asyncio.sleep(RETURN_AFTER_S + 0.1)
    began = time.monotonic()
    assert [x.used for x in (await admit(ledger, claims)).buckets] == [9, 640]
    assert time.monotonic() - began < 2 * SETTLE_S, "one wait after the other"


async def test_site_units_taken_before_a_loss_are_void(
    store: RedisStore, ledger: RedisLedger
) -> None:
    """Decisions take a unit of the site before they wait for their accounts' counters."""
    people = [claims_of(per_day(1000), account=f"p{x}", site=640) for x in range(8)]
    assert sum([await race([ledger], claims, 1) for claims in people]) == 8
    store.forget()
    store.notebook.units["site requests/day", TODAY] = 8
    assert sum(await asyncio.gather(*(race([ledger], claims, 1) for claims in people))) == 8
    assert 16 + await race([ledger], people[0], 700) == 640


async def test_a_new_account_seen_by_two_processes_is_not_a_loss(
    store: RedisStore, ledger: RedisLedger
) -> None:
    both = [ledger, await store.open()]
    people = [claims_of(per_day(10), account=f"new {x}", ceiling=20, site=640) for x in range(20)]
    with capture_logs() as logs:
        assert sum(await asyncio.gather(*(race(both, claims, 4) for claims in people))) == 80
    assert logs == []
    store.forget()
    with capture_logs() as logs:
        await asyncio.gather(*(race(both, people[x], 4) for x in range(2)))
    lost = sorted(x["subject"] for x in logs if x["event"] == "counters_lost")
    assert lost == ["new 0", "new 1", "site"]


async def test_expired_site_units_do_not_mark_new_counters_as_lost(
    store: RedisStore, ledger: RedisLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow records report only once that these counters are new."""
    claims = claims_of(per_day(10), site=640)
    monkeypatch.setattr("daypass.quota.redis.site_lease.LEASE_S", 0.2)
    asked = store.notebook.used

    async def used_slowly(claims: Sequence[Claim], moment: Moment) -> list[int]:
        if claims[0].subject.kind != "site":
            await asyncio.sleep(0.3)
        return await asked(claims, moment)

    store.notebook.used = used_slowly  # type: ignore[method-assign]
    began = time.monotonic()
    with capture_logs() as logs:
        await admit(ledger, claims)
    assert logs == []
    assert time.monotonic() - began < SETTLE_S


@pytest.mark.parametrize(("when", "within_s"), [("begin", DECISION_S), ("used", SETTLE_S + 0.5)])
async def test_hanging_records_are_an_error_within_the_deadline(
    store: RedisStore, ledger: RedisLedger, when: str, within_s: float
) -> None:
    claims = claims_of(per_day(10), site=640)
    await admit(ledger, claims)
    store.forget()
    await asyncio.sleep(RETURN_AFTER_S + 0.1)

    async def hang(*_: object) -> None:
        await asyncio.sleep(60)

    setattr(store.notebook, when, hang)
    began = time.monotonic()
    with pytest.raises(LedgerUnavailableError, match="in time"):
        await ledger.reserve(claims)
    assert time.monotonic() - began < within_s + BUSY_S


async def test_lost_counters_are_refused_without_the_records(
    store: RedisStore, ledger: RedisLedger
) -> None:
    claims = claims_of(per_day(10))
    await admit(ledger, claims)
    store.forget()

    async def away(subject: str) -> bool:
        raise LedgerUnavailableError("the database does not answer")

    begin = store.notebook.begin
    store.notebook.begin = away  # type: ignore[method-assign]
    with pytest.raises(LedgerUnavailableError, match="database"):
        await ledger.reserve(claims)
    store.notebook.begin = begin  # type: ignore[method-assign]
    store.notebook.units[KEY + "day", TODAY] = 1
    await admit(ledger, claims)
    assert await used(ledger, claims) == [2]
