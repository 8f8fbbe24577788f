"""Amounts in several measures: reserved at a bound, settled at actual usage. On every ledger."""

import asyncio
from collections.abc import Awaitable, Callable

from daypass.domain.plans import Amounts, Limit, Measure, UsagePlan, Window
from daypass.quota.ledger import Claim, Ledger, Refusal, Reservation, Subject
from daypass.quota.policy import QuotaPolicy
from tests.quota.stores import DAY, Store, claims_of, per_day, race, used

TOKENS = Limit(Measure.TOKENS, 10_000, Window.DAY)
COST = Limit(Measure.COST, 500, Window.MONTH)
TOTAL = Limit(Measure.TOKENS, 12_000, Window.TOTAL)


async def reserve(ledger: Ledger, claims: tuple[Claim, ...], amounts: Amounts) -> Reservation:
    outcome = await ledger.reserve(claims, amounts)
    assert isinstance(outcome, Reservation), outcome
    return outcome


async def until_used(ledger: Ledger, claims: tuple[Claim, ...], expected: list[int]) -> None:
    """Wait until the amounts are settled: settling is asynchronous."""
    async with asyncio.timeout(10):
        while await used(ledger, claims) != expected:
            await asyncio.sleep(0.005)


async def test_a_reservation_takes_each_buckets_amount(ledger: Ledger) -> None:
    claims = claims_of(per_day(10), TOKENS, COST, ceiling=10)
    reservation = await reserve(ledger, claims, Amounts(1, 900, 40))
    assert [x.used for x in reservation.buckets] == [1, 900, 40, 1]
    assert await used(ledger, claims) == [1, 900, 40, 1]


async def test_settling_replaces_the_bound_with_actual_usage(ledger: Ledger) -> None:
    claims = claims_of(per_day(10), TOKENS, COST)
    reservation = await reserve(ledger, claims, Amounts(1, 900, 40))
    ledger.settle(reservation, Amounts(1, 312, 7))
    await until_used(ledger, claims, [1, 312, 7])
    ledger.settle(reservation, Amounts(1, 1, 1))
    assert not await ledger.release(reservation)
    assert await used(ledger, claims) == [1, 312, 7]


async def test_usage_beyond_the_bound_counts_even_beyond_the_limit(ledger: Ledger) -> None:
    claims = claims_of(per_day(10), TOKENS)
    reservation = await reserve(ledger, claims, Amounts(tokens=9_000))
    ledger.settle(reservation, Amounts(tokens=11_000))
    await until_used(ledger, claims, [1, 11_000])
    refusal = await ledger.reserve(claims, Amounts(tokens=1))
    assert isinstance(refusal, Refusal)
    assert refusal.hit.claim.limit == TOKENS
    assert refusal.hit.remaining == 0


async def test_what_needs_nothing_of_a_bucket_beyond_its_limit_is_admitted_and_settled(
    ledger: Ledger,
) -> None:
    site = (Claim(Subject("site"), per_day(100)), Claim(Subject("site"), COST))
    claims = (*claims_of(TOKENS), *site)
    beyond = await reserve(ledger, claims, Amounts(tokens=9_000))
    ledger.settle(beyond, Amounts(tokens=11_000))
    await until_used(ledger, claims, [11_000, 1, 0])
    free = await reserve(ledger, claims, Amounts(tokens=0))
    # It was billed after all.
    ledger.settle(free, Amounts(1, 200, 70))
    await until_used(ledger, claims, [11_200, 2, 70])


async def test_a_refusal_names_the_requested_amount_and_takes_nothing(ledger: Ledger) -> None:
    claims = claims_of(per_day(10), TOKENS, COST)
    await reserve(ledger, claims, Amounts(1, 6_000, 100))
    refusal = await ledger.reserve(claims, Amounts(1, 4_001, 500))
    assert isinstance(refusal, Refusal)
    assert [x.claim.limit for x in refusal.full] == [TOKENS, COST]
    assert refusal.hit.claim.limit == COST, "it frees last"
    assert refusal.amounts == Amounts(1, 4_001, 500)
    assert await used(ledger, claims) == [1, 6_000, 100]
    await reserve(ledger, claims, Amounts(1, 4_000, 400))


async def test_a_release_gives_back_every_measure(ledger: Ledger) -> None:
    claims = claims_of(per_day(10), TOKENS, COST, TOTAL)
    reservation = await reserve(ledger, claims, Amounts(1, 900, 40))
    assert await ledger.release(reservation)
    assert await used(ledger, claims) == [0, 0, 0, 0]


async def test_tokens_per_minute_are_settled_and_requests_per_minute_kept(store: Store) -> None:
    ledger = await store.open()
    minute = [Limit(x, 1000, Window.MINUTE) for x in (Measure.REQUESTS, Measure.TOKENS)]
    claims = claims_of(*minute)
    reservation = await reserve(ledger, claims, Amounts(tokens=900))
    assert await ledger.release(reservation)
    assert await used(ledger, claims) == [1, 0]
    ledger.settle(await reserve(ledger, claims, Amounts(tokens=900)), Amounts(tokens=50))
    await until_used(ledger, claims, [2, 50])
    store.shift_clock(60)
    assert await used(ledger, claims) == [0, 0]


async def test_a_total_never_resets(store: Store) -> None:
    ledger = await store.open()
    claims = claims_of(TOTAL)
    await reserve(ledger, claims, Amounts(tokens=7_000))
    store.shift_clock(30 * DAY)
    assert isinstance(await ledger.reserve(claims, Amounts(tokens=5_001)), Refusal)
    await reserve(ledger, claims, Amounts(tokens=5_000))


async def test_settling_a_closed_window_changes_no_later_window(store: Store) -> None:
    ledger = await store.open()
    claims = claims_of(TOKENS, TOTAL)
    reservation = await reserve(ledger, claims, Amounts(tokens=900))
    store.shift_clock(DAY)
    await reserve(ledger, claims, Amounts(tokens=100))
    ledger.settle(reservation, Amounts(tokens=300))
    await until_used(ledger, claims, [100, 400])


async def test_the_sites_token_ceiling_counts_all_accounts(store: Store) -> None:
    """With leases too: 40 requests of 250 fit into 10,000, and settling frees the excess."""
    ledgers = [await store.open() for _ in range(3)]
    site = Claim(Subject("site"), TOKENS)
    people = [(*claims_of(per_day(100), account=name), site) for name in ("ann", "bob", "cy")]
    outcomes = await asyncio.gather(
        *(ledgers[i % 3].reserve(people[i % 3], Amounts(tokens=250)) for i in range(90))
    )
    admitted = [x for x in outcomes if isinstance(x, Reservation)]
    assert len(admitted) <= 40
    await eventually(lambda: used(ledgers[0], (site,)), [250 * len(admitted)])
    for i, outcome in enumerate(outcomes):
        if isinstance(outcome, Reservation):
            ledgers[i % 3].settle(outcome, Amounts(tokens=50))
    await eventually(lambda: used(ledgers[0], (site,)), [50 * len(admitted)])


async def eventually(look: Callable[[], Awaitable[list[int]]], expected: list[int]) -> None:
    """Wait until leases are returned and settlements are written."""
    async with asyncio.timeout(10):
        while (found := await look()) != expected:
            await asyncio.sleep(0.05)
            assert found[0] >= 0


async def test_changing_a_site_ceiling_keeps_usage(store: Store) -> None:
    """With Redis, the first ledger leased units under the old ceiling, and returns them soon."""
    ledgers = [await store.open() for _ in range(2)]
    old, lower, higher = (claims_of(per_day(99), ceiling=99, site=x) for x in (1000, 5, 12))
    assert await race(ledgers[:1], old, 4) == 4
    admitted = 4 + await race(ledgers, lower, 20)
    assert admitted <= 5
    await eventually(lambda: used(ledgers[1], lower[-1:]), [admitted])
    admitted += await race(ledgers, lower, 20)
    assert admitted == 5
    await eventually(lambda: used(ledgers[1], higher[-1:]), [5])
    assert await race(ledgers, higher, 40) == 7


async def test_an_unsettled_reservation_counts_at_its_bound(store: Store) -> None:
    ledger = await store.open()
    claims = claims_of(TOKENS)
    await reserve(ledger, claims, Amounts(tokens=900))
    await store.close(ledger)
    assert await used(await store.open(), claims) == [900]


def test_give_backs_are_capped_on_a_token_plan() -> None:
    plan = UsagePlan("p", "p", (TOKENS,))
    claim = QuotaPolicy.of([plan], None, None).give_backs_claim("ann", plan)
    assert claim is not None
    assert claim.limit.amount == 1_000
