"""A model of the ledger, checked against both stores over random histories."""

import asyncio
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

from daypass.domain.plans import Window
from daypass.quota.ledger import BucketState, Claim, Ledger, Refusal, Reservation, Subject
from daypass.quota.sqlite.transaction import MAX_LEAD_S
from tests.quota.stores import RedisStore, SqliteStore, Store, claims_of, per, per_day
from tests.support.redis import Redis

CEILING = 5
CAP = 4
THROTTLE = per(Window.MINUTE, 1000)
"""In every plan: never full in this test, and never given back."""
ACCOUNTS = st.sampled_from(["ann", "bob"])
SLOTS = st.integers(1, 2)
LIMITS = st.integers(0, 4)


class LedgerMachine(RuleBasedStateMachine):
    """Two ledgers on one store, and the expected contents of a day's buckets."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._used: Counter[tuple[str, int]] = Counter()
        self._latest: dict[str, int] = {}
        self._given: Counter[tuple[str, int]] = Counter()
        """Give-backs by account and day."""
        self._open: list[tuple[Ledger, Reservation, list[tuple[str, int]]]] = []
        self._last: tuple[Claim, ...] = ()

    make_store: ClassVar[Any]

    @initialize()
    def start(self) -> None:
        self._store = self.make_store()
        self._ledgers = [self._runner.run(self._store.open()) for _ in range(2)]

    @rule(which=st.integers(0, 1), account=ACCOUNTS, slot=SLOTS, limit=LIMITS)
    def reserve(self, which: int, account: str, slot: int, limit: int) -> None:
        """Make a request, on a plan that may have changed since the last one."""
        claims = claims_of(per_day(limit), THROTTLE, account=account, slot=slot, ceiling=CEILING)
        outcome = self._runner.run(self._ledgers[which].reserve(claims))
        day = Window.DAY.start(outcome.at)
        names = [(x.name, x.limit.window.start(outcome.at)) for x in claims]
        amounts = [claim.limit.amount for claim in claims]
        has_room = all(self._used[x] < y for x, y in zip(names, amounts, strict=True))
        assert isinstance(outcome, Reservation) == has_room
        assert day >= self._latest.get(account, 0) or self._follows_back(), "a closed day opened"
        if isinstance(outcome, Refusal):
            assert outcome.hit.used >= outcome.hit.claim.limit.amount
            return
        self._used.update(names)
        self._latest[account] = day
        assert all(map(self._is_right, outcome.buckets))
        self._open.append((self._ledgers[which], outcome, names))
        self._last = claims

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        if self._open:
            ledger, reservation, _ = self._open[data.draw(st.integers(0, len(self._open) - 1))]
            ledger.settle(reservation)

    @rule(data=st.data(), is_capped=st.booleans())
    def release(self, data: st.DataObject, is_capped: bool) -> None:
        """Give back, perhaps again, perhaps what has been settled, perhaps on a later day."""
        if not self._open:
            return
        ledger, reservation, names = self._open[data.draw(st.integers(0, len(self._open) - 1))]
        was_open = reservation.is_open
        account = reservation.buckets[0].claim.subject.account
        cap = Claim(Subject("give_backs", account), per_day(CAP))
        (given,) = self._runner.run(ledger.peek([cap]))
        today = account, given.resets_at - Window.DAY.seconds
        outcome = self._runner.run(ledger.release(reservation, cap if is_capped else None))
        # Units taken before a loss are no longer known by name, and are not given back.
        if was_open and names and is_capped:
            assert isinstance(outcome, Refusal) == (self._given[today] >= CAP)
            self._given[today] += isinstance(outcome, bool)
        if isinstance(outcome, bool):
            assert outcome == was_open
            if was_open:
                self._used.subtract(x for x in names if not x[0].endswith("/minute"))

    @rule()
    def crash(self) -> None:
        """Kill a process: its reservations are never closed and stay used."""
        dead = self._ledgers.pop(0)
        self._open = [x for x in self._open if x[0] is not dead]
        self._runner.run(self._store.close(dead))
        self._ledgers.append(self._runner.run(self._store.open()))

    @rule(hours=st.integers(-30, 30))
    def shift_clock(self, hours: int) -> None:
        self._store.shift_clock(hours * 3600)

    @invariant()
    def the_buckets_hold_what_was_taken(self) -> None:
        if not self._last:
            return
        assert all(map(self._is_right, self._runner.run(self._ledgers[0].peek(self._last))))

    def _is_right(self, state: BucketState) -> bool:
        start = state.resets_at - state.claim.limit.window.seconds
        return state.used == self._used[state.claim.name, start]

    def _follows_back(self) -> bool:
        """Return whether the ledger may follow the clock back."""
        return False

    def teardown(self) -> None:
        for ledger in getattr(self, "_ledgers", ()):
            self._runner.run(self._store.close(ledger))
        self._runner.close()


class CorrectedMachine(LedgerMachine):
    """The same on SQLite, with a clock that can be far ahead and is corrected later.

    Whatever it does, each window admits what it may and not one more.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ahead_s = 0
        self._was_corrected = False

    @rule(hours=st.sampled_from([-24 * 365, -100, -30, 1, 30, 100, 24 * 365]))
    def shift_clock(self, hours: int) -> None:
        self._ahead_s = max(0, self._ahead_s - hours * 3600)
        self._was_corrected |= self._ahead_s > MAX_LEAD_S
        super().shift_clock(hours)

    @rule(which=st.integers(0, 1), account=ACCOUNTS, slot=SLOTS, limit=LIMITS)
    def reserve_a_year_ahead(self, which: int, account: str, slot: int, limit: int) -> None:
        self.shift_clock(24 * 365)
        self.reserve(which, account, slot, limit)
        self.shift_clock(-24 * 365)

    def _follows_back(self) -> bool:
        return self._was_corrected

    def _is_right(self, state: BucketState) -> bool:
        # A minute to which the clock returns days later begins empty.
        return state.claim.limit == THROTTLE or super()._is_right(state)


class ForgetfulMachine(LedgerMachine):
    """The same in a Redis that loses its data from time to time. The records contain the usage."""

    @initialize()
    def start(self) -> None:
        super().start()
        self._lost: set[str] = set()
        self._store.notebook.units = self._used

    @rule()
    def lose(self) -> None:
        """Lose all counters. Open reservations were recorded and are never given back."""
        self._store.forget()
        for _, _, names in self._open:
            names.clear()
        self._lost |= self._store.notebook.begun

    @rule(which=st.integers(0, 1), account=ACCOUNTS, slot=SLOTS, limit=LIMITS)
    def reserve(self, which: int, account: str, slot: int, limit: int) -> None:
        """Give back as before, but nothing on a day on which lost counters were rebuilt."""
        super().reserve(which, account, slot, limit)
        if account in self._lost:
            self._lost.remove(account)
            cap = Claim(Subject("give_backs", account), per_day(CAP))
            (state,) = self._runner.run(self._ledgers[which].peek([cap]))
            self._given[account, state.resets_at - Window.DAY.seconds] = CAP

    @rule(hours=st.integers(0, 30))
    def shift_clock(self, hours: int) -> None:
        """Move forwards only: the latest time has been lost too."""
        self._store.shift_clock(hours * 3600)


def check(kind: type[LedgerMachine], make_store: Callable[[], Store]) -> None:
    attributes = {"make_store": staticmethod(make_store)}
    machine = type("Machine", (kind,), attributes)
    options = settings(
        max_examples=40,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=options)


def test_the_ledger_on_sqlite_follows_the_model() -> None:
    with tempfile.TemporaryDirectory() as directory:
        numbers = iter(range(10**6))
        check(CorrectedMachine, lambda: SqliteStore(Path(directory) / f"{next(numbers)}.db"))


def test_the_ledger_in_redis_follows_the_model(redis_server: Redis) -> None:
    def make() -> Store:
        return RedisStore(redis_server)

    check(LedgerMachine, make)


def test_the_ledger_in_redis_follows_the_model_when_counters_are_lost(
    redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daypass.quota.redis.recovery.SETTLE_S", 0)

    def make() -> Store:
        return RedisStore(redis_server)

    check(ForgetfulMachine, make)
