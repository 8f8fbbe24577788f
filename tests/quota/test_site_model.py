"""Random histories under ceilings of the site in Redis, of which each process leases units."""

import asyncio
import collections
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from daypass.domain.plans import Amounts, Window
from daypass.quota.counters import SECOND, Counter
from daypass.quota.deadline import Deadline
from daypass.quota.ledger import BucketState, Claim, Ledger, Reservation, Subject
from daypass.quota.redis.ledger import RedisLedger
from daypass.quota.redis.site_lease import Grant, Origin, Share, SiteLease
from tests.quota.stores import NOON, RedisStore, per_day
from tests.quota.test_amounts_model import (
    PLAN,
    POLICY,
    SITE,
    SIZES,
    AmountsMachine,
    Name,
    check,
)
from tests.support.redis import Redis


class SiteMachine(AmountsMachine):
    """What a process leases counts as used for the others, and what it held when it was killed."""

    def __init__(self) -> None:
        super().__init__()
        self._abandoned: collections.Counter[Name] = collections.Counter()
        """Units that killed processes held."""

    @rule(
        which=st.integers(0, 1),
        account=st.sampled_from(["ann", "bob"]),
        slot=st.integers(1, 2),
        tokens=st.integers(0, 600),
        cost=st.integers(0, 200),
    )
    def reserve(self, which: int, account: str, slot: int, tokens: int, cost: int) -> None:
        claims = POLICY.claims(account, slot, PLAN)
        self._runner.run(self._until_settled(claims))
        self._seen[claims] = None
        ledger = self._ledgers[which]
        amounts = Amounts(1, tokens, cost)
        outcome = self._runner.run(ledger.reserve(claims, amounts))
        if not isinstance(outcome, Reservation):
            full = [x.claim for x in outcome.full]
            assert full
            for state in outcome.buckets:
                is_full = 0 < amounts[state.claim.measure] > self._room(ledger, state)
                assert is_full == (state.claim in full), (state, outcome)
            return
        # The site's clock may be ahead of the account's: each counter tells its own window.
        names = [
            (claim.name, counter.since // SECOND)
            for claim, counter in zip(claims, outcome.taken, strict=True)
        ]
        for name, claim in zip(names, claims, strict=True):
            amount = amounts[claim.measure]
            assert amount == 0 or self._used[name] + amount <= claim.limit.amount, name
        self._change(outcome, names, amounts)
        self._open.append((ledger, outcome, names))

    @rule(which=st.integers(0, 1))
    def return_leases(self, which: int) -> None:
        """As after RETURN_AFTER_S."""
        self._runner.run(self._return(self._ledgers[which]))

    @precondition(lambda self: len(self._open) > 2)
    @rule()
    def kill(self) -> None:
        """A process dies without returning what it holds."""
        dead = self._ledgers[0]
        for claim, lease in _leases(dead).items():
            self._abandoned[claim.name, lease.counter.since // SECOND] += lease._units
            lease._units = 0
        self.crash()

    def _room(self, asking: Ledger, state: BucketState) -> int:
        """Return what is left for one of the ledgers."""
        return state.claim.limit.amount - self._counted(asking, state)

    def _counted(self, asking: Ledger, state: BucketState) -> int:
        name = self._name(state)
        held: int = sum(
            lease._units
            for ledger in self._ledgers
            if ledger is not asking
            for claim, lease in _leases(ledger).items()
            if (claim.name, lease.counter.since // SECOND) == name
        )
        return self._used[name] + self._abandoned[name] + held

    def _is_right(self, state: BucketState) -> bool:
        # The states come from the first ledger.
        return state.used == self._counted(self._ledgers[0], state)

    async def _until_settled(self, claims: tuple[Claim, ...]) -> None:
        """Returning units does not wait."""
        async with asyncio.timeout(10):
            while not all(map(self._is_right, await self._ledgers[0].peek(claims))):
                await asyncio.sleep(0.002)

    @staticmethod
    async def _return(ledger: Any) -> None:
        ledger._site.return_all()


class ForgetfulSiteMachine(SiteMachine):
    """The same in a Redis that loses its counters while no process holds any units."""

    @initialize()
    def start(self) -> None:
        super().start()
        self._store.notebook.units = self._used

    @rule()
    def lose(self) -> None:
        for which in (0, 1):
            self.return_leases(which)
            for lease in _leases(self._ledgers[which]).values():
                lease._ends = 0  # As after LEASE_S: a share of a lost counter is void.
        for claims in self._seen:
            self._runner.run(self._until_settled(claims))
        self._store.forget()
        self._open.clear()
        # The records do not know what killed processes held.
        self._abandoned.clear()

    @rule(minutes=st.sampled_from([1, 60, 60 * 24, 60 * 24 * 31]))
    def shift_clock(self, minutes: int) -> None:
        """Forwards only: the latest moment has been lost too."""
        self._store.shift_clock(minutes * 60)


async def test_units_that_are_put_back_while_the_store_has_none_left_are_taken() -> None:
    claim = Claim(Subject("site"), per_day(2))
    noon_us = NOON * SECOND
    counter = Counter(Window.DAY.start(NOON) * SECOND, 2)
    shares: list[Share] = []

    async def ask(*_: Any) -> Grant:
        if not shares:
            return Grant(2, counter, Origin(1, 1), noon_us)
        lease.put_back(shares[0])
        return Grant(0, counter, Origin(1, 1), noon_us)

    lease = SiteLease(claim, ask, lambda *_: None)
    for amount in (2, 1):
        share = await lease.take(amount, 0, Deadline())
        assert isinstance(share, Share), share
        shares.append(share)
    lease.return_all()


def _leases(ledger: Any) -> dict[Claim, Any]:
    assert isinstance(ledger, RedisLedger)
    return ledger._site._leases


@SIZES
@pytest.mark.parametrize("kind", [SiteMachine, ForgetfulSiteMachine])
def test_the_sites_units_in_redis_follow_the_model(
    redis_server: Redis, monkeypatch: pytest.MonkeyPatch, kind: type[SiteMachine], is_soak: bool
) -> None:
    assert any(x.window is Window.DAY for x in SITE)
    monkeypatch.setattr("daypass.quota.redis.recovery.SETTLE_S", 0)
    monkeypatch.setattr("daypass.quota.redis.site_lease.RETURN_AFTER_S", 3600)
    check(kind, lambda: RedisStore(redis_server), is_soak=is_soak, cases=12)
