"""Random histories in three measures: buckets hold exactly the reserved and settled amounts."""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from daypass.domain.plans import Amounts, Limit, Measure, UsagePlan, Window
from daypass.quota.ledger import BucketState, Claim, Ledger, Refusal, Reservation
from daypass.quota.policy import QuotaPolicy
from tests.quota.stores import RedisStore, SqliteStore, Store
from tests.support.redis import Redis

KEY = (
    Limit(Measure.REQUESTS, 1000, Window.MINUTE),
    Limit(Measure.TOKENS, 500, Window.MINUTE),
    Limit(Measure.TOKENS, 900, Window.DAY),
    Limit(Measure.COST, 300, Window.MONTH),
    Limit(Measure.COST, 2000, Window.TOTAL),
)
ACCOUNT = (Limit(Measure.TOKENS, 1200, Window.DAY), Limit(Measure.COST, 2500, Window.TOTAL))
SITE = (Limit(Measure.REQUESTS, 40, Window.DAY), Limit(Measure.TOKENS, 10**6, Window.MONTH))
PLAN = UsagePlan("p", "p", KEY)
POLICY = QuotaPolicy({"p": PLAN}, 12, account_limits=ACCOUNT, site_limits=SITE)
Name = tuple[str, int]


class AmountsMachine(RuleBasedStateMachine):
    """Two ledgers on one store, and what each window of each bucket must hold."""

    make_store: ClassVar[Any]
    has_site = True

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._used: Counter[Name] = Counter()
        self._excess: Counter[Name] = Counter()
        """The amount settled beyond a reservation."""
        self._open: list[tuple[Ledger, Reservation, list[Name]]] = []
        self._seen: dict[tuple[Claim, ...], None] = {}

    @initialize()
    def start(self) -> None:
        self._store = self.make_store()
        self._ledgers = [self._runner.run(self._store.open()) for _ in range(2)]

    @rule(
        which=st.integers(0, 1),
        account=st.sampled_from(["ann", "bob"]),
        slot=st.integers(1, 2),
        tokens=st.integers(0, 600),
        cost=st.integers(0, 200),
    )
    def reserve(self, which: int, account: str, slot: int, tokens: int, cost: int) -> None:
        claims = POLICY.claims(account, slot, PLAN)
        if not self.has_site:
            claims = claims[: -len(SITE)]
        amounts = Amounts(1, tokens, cost)
        outcome = self._runner.run(self._ledgers[which].reserve(claims, amounts))
        self._seen[claims] = None
        names = [(x.name, x.limit.window.start(outcome.at)) for x in claims]
        has_room = all(
            amount == 0 or self._used[name] + amount <= claim.limit.amount
            for name, claim in zip(names, claims, strict=True)
            for amount in (amounts[claim.measure],)
        )
        assert isinstance(outcome, Reservation) == has_room, outcome
        if isinstance(outcome, Refusal):
            return
        self._change(outcome, names, amounts)
        assert [x.used for x in outcome.buckets] == [self._used[x] for x in names]
        self._open.append((self._ledgers[which], outcome, names))

    @precondition(lambda self: self._open)
    @rule(data=st.data(), tokens=st.integers(0, 900), cost=st.integers(0, 300))
    def settle(self, data: st.DataObject, tokens: int, cost: int) -> None:
        """At less or more than the bound; perhaps after its window has closed."""
        self._close(data, Amounts(1, tokens, cost))

    @precondition(lambda self: self._open)
    @rule(data=st.data(), is_reported=st.booleans())
    def settle_at_the_bound(self, data: st.DataObject, is_reported: bool) -> None:
        self._close(data, None, is_reported=is_reported)

    def _close(
        self, data: st.DataObject, used: Amounts | None, *, is_reported: bool = False
    ) -> None:
        ledger, reservation, names = self._pop(data)
        was = reservation.amounts
        if is_reported:
            used = was
        self._runner.run(self._settle(ledger, reservation, used))
        if used is not None:
            change = Amounts(*(a - b for a, b in zip(used, was, strict=True)))
            self._change(reservation, names, change, is_excess=True)
        self._runner.run(self._until_right(names, reservation))
        self._runner.run(self._settle(ledger, reservation, Amounts(1, 7, 7)))
        assert not self._runner.run(ledger.release(reservation))

    @precondition(lambda self: self._open)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        ledger, reservation, names = self._pop(data)
        assert self._runner.run(ledger.release(reservation)) is True
        self._change(reservation, names, Amounts(*(-x for x in reservation.amounts)))

    @precondition(lambda self: len(self._open) > 1)
    @rule()
    def crash(self) -> None:
        """Kill a process: its reservations count at their bounds."""
        dead = self._ledgers.pop(0)
        self._open = [x for x in self._open if x[0] is not dead]
        self._runner.run(self._store.close(dead))
        self._ledgers.append(self._runner.run(self._store.open()))

    @rule(minutes=st.sampled_from([-60 * 20, -2, 1, 2, 60, 60 * 24, 60 * 24 * 31]))
    def shift_clock(self, minutes: int) -> None:
        self._store.shift_clock(minutes * 60)

    @invariant()
    def the_buckets_hold_what_was_taken(self) -> None:
        for claims in self._seen:
            self._runner.run(self._until_settled(claims))
            states = self._runner.run(self._ledgers[0].peek(claims))
            assert all(map(self._is_right, states)), [
                (x.claim.name, x.used, self._used[self._name(x)]) for x in states
            ]
            for state in states:
                most = state.claim.limit.amount + self._excess[self._name(state)]
                assert state.used <= most, state

    def _pop(self, data: st.DataObject) -> tuple[Ledger, Reservation, list[Name]]:
        return self._open.pop(data.draw(st.integers(0, len(self._open) - 1)))

    def _change(
        self, reservation: Reservation, names: list[Name], by: Amounts, *, is_excess: bool = False
    ) -> None:
        buckets = reservation.buckets if names else ()
        for name, bucket in zip(names, buckets, strict=True):
            limit = bucket.claim.limit
            change = by[bucket.claim.measure]
            if limit.keeps_units and change < 0:
                continue
            self._used[name] += change
            if is_excess:
                self._excess[name] += max(0, change)

    def _name(self, state: BucketState) -> Name:
        limit = state.claim.limit
        if limit.window is Window.TOTAL:
            return state.claim.name, limit.window.start(0)
        return state.claim.name, limit.window.start(state.resets_at - 1)

    def _is_right(self, state: BucketState) -> bool:
        return state.used == self._used[self._name(state)]

    async def _until_settled(self, claims: tuple[Claim, ...]) -> None:
        """Wait for what does not delay decisions. Here everything does."""

    async def _until_right(self, names: list[Name], reservation: Reservation) -> None:
        """Wait until the amounts are settled: settling is asynchronous."""
        claims = [x.claim for x in reservation.buckets]
        async with asyncio.timeout(10):
            while not all(map(self._is_right, await self._ledgers[0].peek(claims))):
                await asyncio.sleep(0.002)

    @staticmethod
    async def _settle(ledger: Ledger, reservation: Reservation, used: Amounts | None) -> None:
        ledger.settle(reservation, used)

    def teardown(self) -> None:
        for ledger in getattr(self, "_ledgers", ()):
            self._runner.run(self._store.close(ledger))
        self._runner.close()


class RedisMachine(AmountsMachine):
    """In Redis the site counts in leases, which lag behind. `test_site_model` has them."""

    has_site = False


class ForgetfulMachine(RedisMachine):
    """A Redis that loses its counters from time to time. The records contain the usage."""

    @initialize()
    def start(self) -> None:
        super().start()
        self._store.notebook.units = self._used

    @rule()
    def lose(self) -> None:
        """Lose all counters. Open reservations count at their bound, from the records."""
        self._store.forget()
        self._open.clear()

    @rule(minutes=st.sampled_from([1, 60, 60 * 24, 60 * 24 * 31]))
    def shift_clock(self, minutes: int) -> None:
        """Move forwards only: the latest time has been lost too."""
        self._store.shift_clock(minutes * 60)


def check(
    kind: type[AmountsMachine], make_store: Callable[[], Store], *, is_soak: bool, cases: int = 25
) -> None:
    """Run random histories. Only the long run simplifies one that fails, which takes minutes."""
    machine = type("Machine", (kind,), {"make_store": staticmethod(make_store)})
    options = settings(
        max_examples=int(os.environ.get("MODEL_CASES", "10000")) if is_soak else cases,
        phases=tuple(Phase) if is_soak else (Phase.generate,),
        stateful_step_count=50 if is_soak else 25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=options)


SIZES = pytest.mark.parametrize(
    "is_soak", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["short", "long"]
)


@SIZES
def test_amounts_on_sqlite_follow_the_model(is_soak: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        numbers = iter(range(10**9))

        def make() -> Store:
            number = next(numbers)
            (Path(directory) / f"{number - 1}.db").unlink(missing_ok=True)
            return SqliteStore(Path(directory) / f"{number}.db")

        check(AmountsMachine, make, is_soak=is_soak)


@SIZES
@pytest.mark.parametrize("kind", [RedisMachine, ForgetfulMachine])
def test_amounts_in_redis_follow_the_model(
    redis_server: Redis, monkeypatch: pytest.MonkeyPatch, kind: type[AmountsMachine], is_soak: bool
) -> None:
    monkeypatch.setattr("daypass.quota.redis.recovery.SETTLE_S", 0)
    check(kind, lambda: RedisStore(redis_server), is_soak=is_soak)
