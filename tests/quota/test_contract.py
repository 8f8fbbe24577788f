"""The contract of ledgers. Each test runs against each ledger."""

import asyncio

import pytest

from daypass.domain.plans import Window
from daypass.quota.ledger import Ledger, Reservation, Subject
from tests.quota.stores import (
    DAY,
    NOON,
    Store,
    admit,
    burst,
    claims_of,
    per,
    per_day,
    race,
    refuse,
    used,
)


async def test_500_concurrent_requests_on_a_limit_of_30_admit_30(ledger: Ledger) -> None:
    claims = claims_of(per_day(30), ceiling=1000)
    outcomes = await asyncio.gather(*(ledger.reserve(claims) for _ in range(500)))
    admitted = [x for x in outcomes if isinstance(x, Reservation)]
    assert sorted(x.buckets[0].used for x in admitted) == list(range(1, 31))
    assert await used(ledger, claims) == [30, 30]


async def test_ledgers_on_one_store_share_the_limit(store: Store) -> None:
    ledgers = [await store.open() for _ in range(4)]
    assert await race(ledgers, claims_of(per_day(30), ceiling=1000), 400) == 30


async def test_a_refusal_takes_nothing_from_any_bucket(ledger: Ledger) -> None:
    claims = claims_of(per_day(10), per(Window.HOUR, 10), ceiling=3)
    assert await race([ledger], claims, 5) == 3
    refusal = await refuse(ledger, claims)
    assert refusal.hit.claim.subject == Subject("account", "ann")
    assert [x.used for x in refusal.buckets] == await used(ledger, claims) == [3, 3, 3]


async def test_an_accounts_keys_share_its_ceiling(ledger: Ledger) -> None:
    for slot in (1, 2, 3):
        assert await race([ledger], claims_of(per_day(10), slot=slot, ceiling=30), 10) == 10
    await refuse(ledger, claims_of(per_day(20), slot=1, ceiling=30))
    await admit(ledger, claims_of(per_day(20), account="bob", ceiling=30))


async def test_a_limit_of_zero_admits_nothing(ledger: Ledger) -> None:
    await refuse(ledger, claims_of(per_day(0)))


async def test_a_request_without_limits_is_admitted(ledger: Ledger) -> None:
    reservation = await admit(ledger, claims_of())
    assert reservation.buckets == ()
    assert await ledger.release(reservation)
    assert await ledger.peek(()) == ()


async def test_a_reservation_is_released_once(ledger: Ledger) -> None:
    claims = claims_of(per_day(2), per(Window.MONTH, 5), per(Window.HOUR, 5), ceiling=7)
    reservation = await admit(ledger, claims)
    released = await asyncio.gather(*(ledger.release(reservation) for _ in range(5)))
    assert released.count(True) == 1
    assert released.count(False) == 4
    assert await used(ledger, claims) == [0, 0, 0, 0]


async def test_a_throttle_is_never_given_back(ledger: Ledger) -> None:
    claims = claims_of(per(Window.MINUTE, 2), burst(5, 1), per_day(9))
    for _ in range(2):
        assert await ledger.release(await admit(ledger, claims)) is True
    assert await used(ledger, claims) == [2, 2, 0]
    assert (await refuse(ledger, claims)).hit.claim.limit == per(Window.MINUTE, 2)


async def test_a_settled_reservation_cannot_be_released(ledger: Ledger) -> None:
    claims = claims_of(per_day(2))
    reservation = await admit(ledger, claims)
    ledger.settle(reservation)
    assert not await ledger.release(reservation)
    assert await used(ledger, claims) == [1]


async def test_a_reservation_of_a_dead_process_stays_used(store: Store) -> None:
    claims = claims_of(per_day(2))
    await admit(await store.open(), claims)
    assert await used(await store.open(), claims) == [1]


async def test_peek_reads_the_buckets_of_several_accounts_in_order(ledger: Ledger) -> None:
    ann, bob = claims_of(per_day(5), ceiling=9), claims_of(per_day(7), account="bob", ceiling=9)
    await admit(ledger, ann)
    await race([ledger], bob, 2)
    mixed = (bob[0], ann[0], bob[1], ann[1], bob[0])
    states = await ledger.peek(mixed)
    assert [(x.claim, x.used) for x in states] == list(zip(mixed, [2, 1, 2, 1, 2], strict=True))


async def test_a_unit_is_given_back_to_the_day_it_came_from(store: Store, ledger: Ledger) -> None:
    claims = claims_of(per_day(5))
    store.shift_clock(DAY / 2 - 2)
    before = await admit(ledger, claims)
    assert before.at < NOON + DAY / 2
    store.shift_clock(5)
    after = await admit(ledger, claims)
    assert after.buckets[0].used == 1
    assert await ledger.release(before)
    assert await used(ledger, claims) == [1]


@pytest.mark.parametrize(
    ("window", "first_end", "second_end"),
    [
        (Window.MINUTE, NOON + 60, None),
        (Window.HOUR, NOON + 3_600, None),
        (Window.DAY, NOON + DAY / 2, NOON + DAY * 3 / 2),
        (Window.WEEK, NOON + DAY * 4.5, NOON + DAY * 11.5),  # Monday the 30th
        (Window.MONTH, NOON + DAY * 5.5, NOON + DAY * 36.5),  # December the 1st, January the 1st
    ],
)
async def test_a_new_window_starts_at_zero(
    store: Store, ledger: Ledger, window: Window, first_end: float, second_end: float | None
) -> None:
    claims = claims_of(per(window, 1))
    assert (await admit(ledger, claims)).buckets[0].resets_at == first_end
    assert (await refuse(ledger, claims)).hit.resets_at == first_end
    store.shift_clock(first_end - NOON)
    again = await admit(ledger, claims)
    assert again.at >= first_end
    if second_end is not None:
        assert again.buckets[0].resets_at == second_end


async def test_a_clock_step_back_does_not_reopen_a_day(store: Store, ledger: Ledger) -> None:
    claims = claims_of(per_day(1), ceiling=1)
    store.shift_clock(DAY)
    await admit(ledger, claims)
    store.shift_clock(-DAY)
    assert (await refuse(ledger, claims)).hit.resets_at > NOON + DAY
    # The same for a key of the account that was not used on the later day.
    assert (await refuse(ledger, claims_of(per_day(1), slot=2, ceiling=1))).at >= NOON + DAY
    store.shift_clock(2 * DAY)
    await admit(ledger, claims)


async def test_a_late_give_back_is_not_repeated_after_a_clock_step_back(
    store: Store, ledger: Ledger
) -> None:
    claims = claims_of(per_day(1), ceiling=1)
    reservation = await admit(ledger, claims)
    store.shift_clock(DAY)
    assert await ledger.release(reservation)
    store.shift_clock(-DAY)
    assert await used(ledger, claims) == [0, 0]
    await admit(ledger, claims)
    await refuse(ledger, claims)


async def test_changing_the_plan_resets_no_counter(ledger: Ledger) -> None:
    assert await race([ledger], claims_of(per_day(10)), 12) == 10
    assert await race([ledger], claims_of(per_day(20)), 30) == 10
    assert (await refuse(ledger, claims_of(per_day(5)))).hit.used == 20


async def test_the_refusal_names_the_limit_that_frees_last(ledger: Ledger) -> None:
    claims = claims_of(per(Window.MINUTE, 1), per_day(1), burst(1, 1))
    await admit(ledger, claims)
    assert (await refuse(ledger, claims)).hit.claim.limit.window is Window.DAY


async def test_a_cancelled_decision_gives_back_its_unit(ledger: Ledger) -> None:
    claims = claims_of(per_day(5), site=7)
    waiting = asyncio.create_task(ledger.reserve(claims))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for _ in range(200):
        if await used(ledger, claims) == [0, 0]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the unit was not given back")


async def test_counts_survive_a_restart_of_the_ledger(store: Store) -> None:
    claims = claims_of(per_day(5), burst(5, 1), ceiling=9, site=100)
    for expected in (1, 2, 3):
        ledger = await store.open()
        await admit(ledger, claims)
        assert await used(ledger, claims) == [expected] * 4
        await store.close(ledger)


async def test_the_sites_ceiling_is_reached_and_never_exceeded(store: Store) -> None:
    ledgers = [await store.open() for _ in range(3)]
    people = [claims_of(per_day(1000), account=f"p{i}", ceiling=1000, site=50) for i in range(6)]
    admitted = await asyncio.gather(*(race(ledgers, claims, 40) for claims in people))
    assert sum(admitted) == 50
    refusal = await refuse(ledgers[0], people[0])
    assert refusal.hit.claim.subject == Subject("site")
    assert refusal.hit.resets_at == NOON + DAY / 2
    assert [x.claim for x in refusal.buckets] == list(people[0])


async def test_a_release_gives_back_the_sites_unit(store: Store, ledger: Ledger) -> None:
    claims = claims_of(per_day(1000), ceiling=1000, site=5)
    taken = [await admit(ledger, claims) for _ in range(5)]
    await refuse(ledger, claims)
    assert await ledger.release(taken[0])
    await admit(ledger, claims)
    await refuse(ledger, claims)
    # A refusal by the account's bucket takes no unit of the site either.
    assert await ledger.release(taken[1])
    await refuse(ledger, claims_of(per_day(1), ceiling=1000, site=5))
    await admit(ledger, claims)


async def test_the_sites_last_units_are_taken_and_given_back_under_contention(store: Store) -> None:
    ledgers = [await store.open() for _ in range(2)]
    claims = claims_of(per_day(1000), ceiling=1000, site=2)

    async def call_often(ledger: Ledger) -> None:
        for _ in range(30):
            outcome = await ledger.reserve(claims)
            if isinstance(outcome, Reservation):
                assert await ledger.release(outcome)
            else:
                assert outcome.hit.claim.subject == Subject("site")

    await asyncio.gather(*(call_often(ledger) for ledger in ledgers for _ in range(8)))
    assert (await used(ledgers[0], claims))[:2] == [0, 0]


async def test_the_sites_daily_ceiling_resets_each_day(store: Store, ledger: Ledger) -> None:
    claims = claims_of(per_day(1000), ceiling=1000, site=3)
    assert await race([ledger], claims, 2) == 2
    store.shift_clock(DAY)
    assert await race([ledger], claims, 5) == 3
    store.shift_clock(DAY)
    assert await race([ledger], claims, 5) == 3


async def test_leased_site_units_of_yesterday_are_not_spent_today(
    store: Store, ledger: Ledger
) -> None:
    claims = claims_of(per_day(1000), ceiling=1000, site=1000)
    await admit(ledger, claims)
    store.shift_clock(DAY)
    reservation = await admit(ledger, claims)
    assert reservation.buckets[-1].resets_at == NOON + DAY * 3 / 2
    assert await used(ledger, claims) == [1, 1, 1]
