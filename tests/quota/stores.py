"""Stores for the contract tests: a store, its clock, and ledgers that share both."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from daypass.domain.plans import Limit, Measure, UsagePlan, Window
from daypass.quota.counters import SECOND, Moment
from daypass.quota.ledger import Claim, Ledger, Refusal, Reservation
from daypass.quota.policy import QuotaPolicy
from daypass.quota.redis.ledger import RedisLedger
from daypass.quota.sqlite.ledger import SqliteLedger
from tests.support.redis import Redis

DAY = 86_400
NOON = 1_795_608_000  # 2026-11-25T12:00:00Z, a Wednesday


class Store(Protocol):
    """A store that ledgers share. Its clock starts at NOON."""

    @property
    def ledgers(self) -> Sequence[Ledger]:
        """The open ledgers."""

    async def open(self) -> Ledger:
        """Open another ledger on this store, as another process would."""

    async def close(self, ledger: Ledger) -> None:
        """Close a ledger."""

    def shift_clock(self, seconds: float) -> None:
        """Move the clock of every ledger forwards or back, in seconds."""


class SqliteStore:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = float(NOON)
        self.ledgers: list[SqliteLedger] = []

    async def open(self) -> SqliteLedger:
        ledger = SqliteLedger(self.path, lambda: self.now)
        await ledger.start()
        self.ledgers.append(ledger)
        return ledger

    async def close(self, ledger: Ledger) -> None:
        self.ledgers = [x for x in self.ledgers if x is not ledger]
        await ledger.close()

    def shift_clock(self, seconds: float) -> None:
        self.now += seconds


class Notebook:
    """Usage records that tests write themselves."""

    def __init__(self) -> None:
        self.begun: set[str] = set()
        self.units: Counter[tuple[str, int]] = Counter()
        """Units used, by a bucket's name and the start of its window (Unix time; of a token
        bucket: 0)."""
        self.questions = 0

    async def begin(self, subject: str) -> bool:
        is_new = subject not in self.begun
        self.begun.add(subject)
        return is_new

    async def used(self, claims: Sequence[Claim], moment: Moment) -> list[int]:
        self.questions += 1
        starts = [
            x.limit.window.start(moment.us // SECOND) if x.limit.burst is None else 0
            for x in claims
        ]
        return [self.units[claim.name, start] for claim, start in zip(claims, starts, strict=True)]


class RedisStore:
    """A Redis for one test. Its clock is the server's, shifted to NOON."""

    def __init__(self, server: Redis) -> None:
        server.empty()
        self.forget = server.empty
        self.url = server.url
        self.notebook = Notebook()
        self.offset = NOON - time.time()
        self.ledgers: list[RedisLedger] = []

    async def open(self) -> RedisLedger:
        ledger = RedisLedger(self.url, self.notebook, self.offset)
        await ledger.start()
        self.ledgers.append(ledger)
        return ledger

    async def close(self, ledger: Ledger) -> None:
        self.ledgers = [x for x in self.ledgers if x is not ledger]
        await ledger.close()

    def shift_clock(self, seconds: float) -> None:
        self.offset += seconds
        for ledger in self.ledgers:
            ledger.clock_offset_s = self.offset


def claims_of(
    *limits: Limit,
    account: str = "ann",
    slot: int = 1,
    ceiling: int | None = None,
    site: int | None = None,
) -> tuple[Claim, ...]:
    """Return the claims of a request with a key of these limits, and ceilings on requests."""
    plan = UsagePlan("p", "p", limits)
    claims = QuotaPolicy.of([plan], ceiling, site).claims(account, slot, plan)
    is_shared = {x for x in claims if x.subject.kind == "account" and x.limit.measure != "requests"}
    return tuple(x for x in claims if x not in is_shared)


def per(window: Window, amount: int) -> Limit:
    return Limit(Measure.REQUESTS, amount, window)


def per_day(amount: int) -> Limit:
    return per(Window.DAY, amount)


def burst(size: int, per_minute: int) -> Limit:
    return Limit(Measure.REQUESTS, per_minute, Window.MINUTE, size)


async def used(ledger: Ledger, claims: tuple[Claim, ...]) -> list[int]:
    return [state.used for state in await ledger.peek(claims)]


async def admit(ledger: Ledger, claims: tuple[Claim, ...]) -> Reservation:
    outcome = await ledger.reserve(claims)
    assert isinstance(outcome, Reservation), outcome
    return outcome


async def refuse(ledger: Ledger, claims: tuple[Claim, ...]) -> Refusal:
    outcome = await ledger.reserve(claims)
    assert isinstance(outcome, Refusal), outcome
    return outcome


async def race(ledgers: Sequence[Ledger], claims: tuple[Claim, ...], times: int) -> int:
    """Return how many of these concurrent decisions, spread over the ledgers, admit."""
    outcomes = await asyncio.gather(
        *(ledgers[i % len(ledgers)].reserve(claims) for i in range(times))
    )
    return sum(isinstance(x, Reservation) for x in outcomes)
