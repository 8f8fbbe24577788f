"""Bursts: several requests at once, then an even rate. Each test runs against each ledger."""

import asyncio
import math

from daypass.quota.ledger import Ledger
from tests.quota.stores import NOON, Store, admit, burst, claims_of, per_day, race, refuse, used

# One unit a minute, so that nothing refills while a test runs.
SLOW = burst(3, 1)


async def test_a_burst_is_admitted_at_once_and_no_more(store: Store) -> None:
    ledgers = [await store.open() for _ in range(3)]
    assert await race(ledgers, claims_of(SLOW), 60) == 3


async def test_a_burst_refills_at_the_rate_up_to_its_size(store: Store, ledger: Ledger) -> None:
    claims = claims_of(SLOW)
    assert await race([ledger], claims, 5) == 3
    store.shift_clock(55)
    assert await race([ledger], claims, 5) == 0
    store.shift_clock(5)
    assert await race([ledger], claims, 5) == 1
    store.shift_clock(120)
    assert await race([ledger], claims, 5) == 2
    store.shift_clock(86_400)
    assert await race([ledger], claims, 9) == 3


async def test_the_state_of_a_burst_has_remaining_units_and_next_refill(
    store: Store, ledger: Ledger
) -> None:
    claims = claims_of(burst(3, 2))
    (unused,) = await ledger.peek(claims)
    assert (unused.used, unused.remaining) == (0, 3)
    first, second = await admit(ledger, claims), await admit(ledger, claims)
    assert [x.buckets[0].remaining for x in (first, second)] == [2, 1]
    # A unit refills in 30 seconds; the second request did not delay the refill of the first.
    for reservation in (first, second):
        frees = reservation.buckets[0].resets_at
        assert math.ceil(first.at) + 30 == frees
    await admit(ledger, claims)
    refusal = await refuse(ledger, claims)
    assert (refusal.hit.used, refusal.hit.remaining) == (3, 0)
    assert refusal.hit.resets_at == math.ceil(first.at) + 30
    store.shift_clock(31)
    assert (await ledger.peek(claims))[0].remaining == 1


async def test_a_clock_step_back_does_not_refill_a_burst(store: Store, ledger: Ledger) -> None:
    claims = claims_of(SLOW)
    assert await race([ledger], claims, 3) == 3
    store.shift_clock(-3_600)
    await refuse(ledger, claims)
    store.shift_clock(3_600 + 55)
    await refuse(ledger, claims)
    store.shift_clock(5)
    await admit(ledger, claims)
    await refuse(ledger, claims)


async def test_a_release_does_not_refill_a_burst(store: Store, ledger: Ledger) -> None:
    claims = claims_of(SLOW, per_day(100))
    for _ in range(3):
        await ledger.release(await admit(ledger, claims))
    await refuse(ledger, claims)
    assert await used(ledger, claims) == [3, 0]
    store.shift_clock(60)
    await admit(ledger, claims)
    await refuse(ledger, claims)


async def test_a_refusal_by_the_daily_limit_takes_nothing_from_the_burst(ledger: Ledger) -> None:
    claims = claims_of(SLOW, per_day(1))
    await admit(ledger, claims)
    refusal = await refuse(ledger, claims)
    assert refusal.hit.claim.limit == per_day(1)
    assert await used(ledger, claims) == [1, 1]


async def test_a_smaller_burst_applies_at_once(store: Store, ledger: Ledger) -> None:
    assert await race([ledger], claims_of(burst(5, 1)), 5) == 5
    refusal = await refuse(ledger, claims_of(burst(2, 1)))
    assert refusal.hit.remaining == 0
    # Four of the five must refill before one of two is free.
    assert abs(refusal.hit.resets_at - (NOON + 240)) <= 60
    store.shift_clock(245)
    assert await race([ledger], claims_of(burst(2, 1)), 3) == 1


async def test_keys_do_not_share_bursts(ledger: Ledger) -> None:
    admitted = await asyncio.gather(
        *(race([ledger], claims_of(SLOW, slot=slot), 5) for slot in (1, 2))
    )
    assert admitted == [3, 3]
