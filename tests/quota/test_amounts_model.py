"""A model of the ledger in three measures, checked against both stores over random histories."""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from daypass.domain.plans import Amounts, Limit, Measure, UsagePlan, Window
from daypass.quota.ledger import Claim, Ledger, Refusal, Reservation
from daypass.quota.policy import QuotaPolicy
from tests.quota.stores import RedisStore, SqliteStore, Store
from tests.support.redis import Redis

EXAMPLES = int(os.environ.get("AMOUNTS_EXAMPLES", "25"))
STEPS = int(os.environ.get("AMOUNTS_STEPS", "25"))
LIMITS = (
    Limit(Measure.REQUESTS, 12, Window.DAY),
    Limit(Measure.TOKENS, 40, Window.MINUTE),
    Limit(Measure.TOKENS, 100, Window.DAY),
    Limit(Measure.TOKENS, 300, Window.TOTAL),
    Limit(Measure.COST, 60, Window.MONTH),
)
ACCOUNT_LIMITS = (Limit(Measure.TOKENS, 150, Window.DAY), Limit(Measure.COST, 90, Window.DAY))
ACCOUNTS = st.sampled_from(["ann", "bob"])
SLOTS = st.integers(1, 2)
AMOUNTS = st.builds(Amounts, st.just(1), st.integers(0, 50), st.integers(0, 30))
Bucket = tuple[str, int]


def claims_of(account: str, slot: int) -> tuple[Claim, ...]:
    plan = UsagePlan("p", "p", LIMITS)
    return QuotaPolicy({"p": plan}, account_limits=ACCOUNT_LIMITS).claims(account, slot, plan)


class AmountsMachine(RuleBasedStateMachine):
    """Two ledgers on one store. A bucket holds what is settled plus what is reserved."""

    make_store: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._used: Counter[Bucket] = Counter()
        self._excess: Counter[Bucket] = Counter()
        """Settled beyond a reservation: the only way to pass a limit."""
        self._open: list[tuple[Ledger, Reservation, list[Bucket]]] = []
        self._last: tuple[Claim, ...] = ()

    @initialize()
    def start(self) -> None:
        self._store: Store = self.make_store()
        self._ledgers = [self._runner.run(self._store.open()) for _ in range(2)]

    @rule(which=st.integers(0, 1), account=ACCOUNTS, slot=SLOTS, amounts=AMOUNTS)
    def reserve(self, which: int, account: str, slot: int, amounts: Amounts) -> None:
        claims = claims_of(account, slot)
        outcome = self._runner.run(self._ledgers[which].reserve(claims, amounts))
        buckets = [(x.name, x.limit.window.start(outcome.at)) for x in claims]
        has_room = all(
            self._used[bucket] + amounts[claim.measure] <= claim.limit.amount
            for bucket, claim in zip(buckets, claims, strict=True)
        )
        assert isinstance(outcome, Reservation) == has_room
        self._last = claims
        if isinstance(outcome, Refusal):
            assert outcome.hit in outcome.full
            return
        for bucket, claim in zip(buckets, claims, strict=True):
            self._used[bucket] += amounts[claim.measure]
        self._open.append((self._ledgers[which], outcome, buckets))

    @rule(data=st.data(), used=AMOUNTS)
    def settle(self, data: st.DataObject, used: Amounts) -> None:
        """Settle at less, as much or more; perhaps again, perhaps in a later window."""
        if not self._open:
            return
        ledger, reservation, buckets = self._open[data.draw(st.integers(0, len(self._open) - 1))]
        was_open = reservation.is_open

        async def settle_and_wait() -> None:
            ledger.settle(reservation, used)
            await ledger.peek(
                self._last
            )  # Settling does not wait. A later decision comes after it.

        self._runner.run(settle_and_wait())
        if was_open:
            self._change(reservation, buckets, used)

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if not self._open:
            return
        ledger, reservation, buckets = self._open[data.draw(st.integers(0, len(self._open) - 1))]
        was_open = reservation.is_open
        assert self._runner.run(ledger.release(reservation)) == was_open
        if was_open:
            self._change(reservation, buckets, Amounts(0, 0, 0))

    @rule()
    def crash(self) -> None:
        """A process dies: what it had reserved stands at its bound."""
        dead = self._ledgers.pop(0)
        self._open = [x for x in self._open if x[0] is not dead]
        self._runner.run(self._store.close(dead))
        self._ledgers.append(self._runner.run(self._store.open()))

    @rule(seconds=st.sampled_from([20, 60, 3600, 86_400, 40 * 86_400]))
    def pass_time(self, seconds: int) -> None:
        self._store.shift_clock(seconds)

    @invariant()
    def the_buckets_hold_what_is_settled_and_reserved(self) -> None:
        if not self._last:
            return
        for state in self._runner.run(self._ledgers[0].peek(self._last)):
            limit = state.claim.limit
            start = 0 if limit.window is Window.TOTAL else limit.window.start(state.resets_at - 1)
            bucket = (state.claim.name, start)
            assert state.used == self._used[bucket]
            assert state.used <= limit.amount + self._excess[bucket]

    def _change(self, reservation: Reservation, buckets: list[Bucket], used: Amounts) -> None:
        for bucket, state in zip(buckets, reservation.buckets, strict=True):
            change = used[state.claim.measure] - reservation.amounts[state.claim.measure]
            if not state.claim.limit.keeps_units:
                self._used[bucket] += change
                self._excess[bucket] += max(0, change)

    def teardown(self) -> None:
        for ledger in getattr(self, "_ledgers", ()):
            self._runner.run(self._store.close(ledger))
        self._runner.close()


def check(make_store: Callable[[], Store], examples: int = EXAMPLES, steps: int = STEPS) -> None:
    machine = type("Machine", (AmountsMachine,), {"make_store": staticmethod(make_store)})
    options = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=options)


def test_the_sqlite_ledger_follows_the_model_in_three_measures() -> None:
    with tempfile.TemporaryDirectory() as directory:
        numbers = iter(range(10**6))
        check(lambda: SqliteStore(Path(directory) / f"{next(numbers)}.db"))


def test_the_redis_ledger_follows_the_model_in_three_measures(redis_server: Redis) -> None:
    check(lambda: RedisStore(redis_server))


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_ten_thousand_long_histories(store: str, redis_server: Redis) -> None:
    with tempfile.TemporaryDirectory() as directory:
        numbers = iter(range(10**6))
        if store == "redis":
            check(lambda: RedisStore(redis_server), 10_000, 50)
        else:
            check(lambda: SqliteStore(Path(directory) / f"{next(numbers)}.db"), 10_000, 50)
