"""The decisions of one transaction on the embedded ledger's file."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from daypass.quota.counters import SECOND, Counter, Moment, advance, fits, give_back, take
from daypass.quota.ledger import BucketState, Claim, Refusal, Reservation, refuse, state

KEEP_S = 70 * 86_400

# One row a bucket: the window that it holds is the latest one that anybody took from. Nothing
# is kept of earlier windows, since none of them opens again.
SCHEMA = """
CREATE TABLE IF NOT EXISTS quota_counter (
    name TEXT PRIMARY KEY, since INTEGER NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quota_clock (id INTEGER PRIMARY KEY CHECK (id = 1), latest INTEGER);
INSERT OR IGNORE INTO quota_clock VALUES (1, 0);
"""

_READ = """
SELECT name, since, used FROM quota_counter WHERE name IN (SELECT value FROM json_each(?))
"""
_WRITE = """
INSERT INTO quota_counter VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET since = excluded.since, used = excluded.used
"""


@dataclass(slots=True)
class Job:
    """One caller's wish, and the future that tells it the outcome."""

    work: "Callable[[Group, Job], Any]"
    claims: Sequence[Claim]
    taken: tuple[Counter, ...] = ()
    """What to give back."""
    give_backs: Claim | None = None
    """The bucket of give-backs that giving back takes a unit from."""
    future: asyncio.Future[Any] | None = None

    @property
    def is_abandoned(self) -> bool:
        """Nobody wants this any more. What is to be given back is wanted always."""
        return not self.taken and self.future is not None and self.future.done()


class Group:
    """The jobs of one transaction. Each bucket is read once and written once."""

    def __init__(self, connection: sqlite3.Connection, clock: float, jobs: Sequence[Job]) -> None:
        """`clock` is Unix time in seconds; the transaction has begun."""
        self._connection = connection
        self._jobs = jobs
        (self._latest_minute,) = connection.execute("SELECT latest FROM quota_clock").fetchone()
        # A clock that steps back stays in the latest minute in which anything was taken: a
        # window that has closed never opens again.
        self._now = Moment(max(int(clock * SECOND), self._latest_minute * SECOND))
        names = {claim.name for job in jobs for claim in job.claims}
        names |= {job.give_backs.name for job in jobs if job.give_backs is not None}
        rows = connection.execute(_READ, (json.dumps(list(names)),)) if names else ()
        self._counters = {name: Counter(since, used) for name, since, used in rows}
        self._changed: set[str] = set()

    def run(self) -> list[Any]:
        """Do every job and write what they changed. The outcomes are in the jobs' order."""
        outcomes = [None if job.is_abandoned else job.work(self, job) for job in self._jobs]
        self._connection.executemany(_WRITE, [(x, *self._counters[x]) for x in self._changed])
        minute = self._now.us // (60 * SECOND) * 60
        if self._changed and minute > self._latest_minute:
            self._connection.execute("UPDATE quota_clock SET latest = ?", (minute,))
        return outcomes

    def reserve(self, job: Job) -> Reservation | Refusal:
        """Take one unit from every bucket, or none."""
        at = self._now.us / SECOND
        taken: list[Counter] = []
        for claim in job.claims:
            counter = take(claim.limit, self._read(claim))
            if not fits(claim.limit, counter):
                return refuse(at, self.peek(job))
            taken.append(counter)
        for claim, counter in zip(job.claims, taken, strict=True):
            self._set(claim, counter)
        return Reservation(at, tuple(map(state, job.claims, taken)), tuple(taken))

    def give_back(self, job: Job) -> Refusal | None:
        """Give back one unit to every bucket that it still concerns.

        Returns the Refusal, and gives nothing back, if the bucket of give-backs is full.
        """
        if job.give_backs is not None:
            given = take(job.give_backs.limit, self._read(job.give_backs))
            if not fits(job.give_backs.limit, given):
                full = state(job.give_backs, self._read(job.give_backs))
                return refuse(self._now.us / SECOND, (full,))
            self._set(job.give_backs, given)
        for claim, taken in zip(job.claims, job.taken, strict=True):
            counter = self._counters.get(claim.name)
            self._set(claim, give_back(claim.limit, taken, counter, self._now))
        return None

    def peek(self, job: Job) -> tuple[BucketState, ...]:
        """How full the buckets are."""
        return tuple(state(claim, self._read(claim)) for claim in job.claims)

    def sweep(self) -> None:
        """Forget windows long closed."""
        before = self._now.us - KEEP_S * SECOND
        self._connection.execute("DELETE FROM quota_counter WHERE since < ?", (before,))

    def _read(self, claim: Claim) -> Counter:
        return advance(claim.limit, self._counters.get(claim.name), self._now)

    def _set(self, claim: Claim, counter: Counter) -> None:
        self._counters[claim.name] = counter
        self._changed.add(claim.name)
