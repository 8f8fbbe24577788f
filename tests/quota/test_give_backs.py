"""Give-backs are capped per account and day. Each test runs against each ledger."""

import asyncio

import pytest

from daypass.domain.plans import UsagePlan, Window
from daypass.quota.ledger import Claim, Ledger, LedgerUnavailableError, Refusal, Subject
from daypass.quota.policy import QuotaPolicy
from daypass.quota.redis.ledger import RedisLedger
from tests.quota.lossy import LossyWire
from tests.quota.stores import (
    DAY,
    NOON,
    Notebook,
    RedisStore,
    Store,
    admit,
    burst,
    claims_of,
    per,
    per_day,
    refuse,
    used,
)
from tests.support.redis import Redis


def cap(amount: int, account: str = "ann") -> Claim:
    return Claim(Subject("give_backs", account), per_day(amount))


async def test_units_beyond_the_give_back_cap_stay_used(ledger: Ledger) -> None:
    claims = claims_of(per_day(10), ceiling=20, site=30)
    for _ in range(3):
        assert await ledger.release(await admit(ledger, claims), cap(3)) is True
    assert await used(ledger, claims) == [0, 0, 0]
    failed = await admit(ledger, claims)
    refusal = await ledger.release(failed, cap(3))
    assert isinstance(refusal, Refusal)
    assert refusal.hit.claim == cap(3)
    assert (refusal.hit.used, refusal.hit.resets_at) == (3, NOON + DAY / 2)
    assert await used(ledger, claims) == [1, 1, 1]
    assert await ledger.release(failed, cap(1000)) is False


async def test_64_concurrent_give_backs_on_several_ledgers_stop_at_the_cap(store: Store) -> None:
    ledgers = [await store.open() for _ in range(3)]
    claims = claims_of(per_day(64), ceiling=64)
    taken = [(x, await admit(x, claims)) for i in range(64) for x in [ledgers[i % 3]]]
    outcomes = await asyncio.gather(*(ledger.release(x, cap(40)) for ledger, x in taken))
    assert outcomes.count(True) == 40
    assert await used(ledgers[0], (*claims, cap(40))) == [24, 24, 40]


async def test_the_keys_of_an_account_share_its_give_backs(ledger: Ledger) -> None:
    for slot in (1, 2):
        claims = claims_of(per_day(10), slot=slot)
        assert await ledger.release(await admit(ledger, claims), cap(2)) is True
    assert isinstance(await ledger.release(await admit(ledger, claims), cap(2)), Refusal)
    others = claims_of(per_day(10), account="bob")
    assert await ledger.release(await admit(ledger, others), cap(2, "bob")) is True


async def test_give_backs_are_counted_per_day_and_survive_a_restart(store: Store) -> None:
    claims = claims_of(per_day(10))
    ledger = await store.open()
    assert await ledger.release(await admit(ledger, claims), cap(1)) is True
    await store.close(ledger)
    ledger = await store.open()
    assert isinstance(await ledger.release(await admit(ledger, claims), cap(1)), Refusal)
    store.shift_clock(DAY)
    assert await ledger.release(await admit(ledger, claims), cap(1)) is True
    store.shift_clock(-DAY)
    assert isinstance(await ledger.release(await admit(ledger, claims), cap(1)), Refusal)


async def test_give_backs_are_capped_under_a_site_ceiling_only(ledger: Ledger) -> None:
    claims = claims_of(site=5)
    assert await ledger.release(await admit(ledger, claims), cap(1)) is True
    assert isinstance(await ledger.release(await admit(ledger, claims), cap(1)), Refusal)
    for _ in range(4):
        await admit(ledger, claims)
    await refuse(ledger, claims)


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_repeated_or_owed_give_back_counts_once_for_the_cap(
    redis_server: Redis, lost: int
) -> None:
    redis_server.empty()
    wire = LossyWire(redis_server.url)
    ledger = RedisLedger(await wire.start(), Notebook())
    await ledger.start()
    try:
        claims = claims_of(per_day(10))
        first, second, third = [await admit(ledger, claims) for _ in range(3)]
        wire.replies_to_lose = lost
        if lost == 1:
            assert await ledger.release(first, cap(2)) is True
        else:
            with pytest.raises(LedgerUnavailableError):
                await ledger.release(first, cap(2))
        assert await used(ledger, claims) == [2]
        assert await ledger.release(second, cap(2)) is True
        assert isinstance(await ledger.release(third, cap(2)), Refusal)
        assert await used(ledger, (*claims, cap(2))) == [1, 2]
    finally:
        await ledger.close()
        await wire.close()


async def test_owed_units_beyond_the_cap_stay_used(redis_server: Redis) -> None:
    redis_server.empty()
    wire = LossyWire(redis_server.url)
    ledger = RedisLedger(await wire.start(), Notebook())
    await ledger.start()
    try:
        claims = claims_of(per_day(10))
        taken = [await admit(ledger, claims) for _ in range(5)]
        wire.holds = True
        owed = await asyncio.gather(
            *(ledger.release(x, cap(2)) for x in taken), return_exceptions=True
        )
        assert all(isinstance(x, LedgerUnavailableError) for x in owed)
        wire.holds = False
        assert await used(ledger, (*claims, cap(2))) == [3, 2]
        await wire.deliver()
        assert await used(ledger, (*claims, cap(2))) == [3, 2]
    finally:
        await ledger.close()
        await wire.close()


async def test_lost_counters_end_give_backs_for_the_day(
    redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daypass.quota.redis.recovery.SETTLE_S", 0)
    store = RedisStore(redis_server)
    ledger = await store.open()
    try:
        claims = claims_of(per_day(10))
        assert await ledger.release(await admit(ledger, claims), cap(100)) is True
        store.forget()
        refusal = await ledger.release(await admit(ledger, claims), cap(100))
        assert isinstance(refusal, Refusal)
        assert refusal.hit.used == 100
        store.shift_clock(DAY)
        assert await ledger.release(await admit(ledger, claims), cap(100)) is True
    finally:
        await store.close(ledger)


def test_the_cap_is_ten_times_the_daily_limit_and_at_least_100() -> None:
    def capped(*limits: object, ceiling: int | None = None, site: int | None = None) -> int | None:
        plan = UsagePlan("p", "p", limits)  # type: ignore[arg-type]
        claim = QuotaPolicy.of([plan], ceiling, site).give_backs_claim("ann", plan)
        return None if claim is None else claim.limit.amount

    assert capped(per_day(10), ceiling=30) == 300
    assert capped(per_day(10), ceiling=5) == 100
    assert capped(per_day(30), per(Window.HOUR, 1)) == 300
    assert capped(per(Window.HOUR, 2), per(Window.MONTH, 200)) == 480
    assert capped(per(Window.WEEK, 50)) == 500
    assert capped(burst(3, 1)) == 14_400
    assert capped(site=50) == 500
    assert capped() is None
