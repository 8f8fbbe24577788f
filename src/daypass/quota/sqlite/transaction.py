"""One transaction on the embedded ledger's file, with the decisions that share it."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from daypass.domain.plans import ONE_REQUEST, Amounts, Window
from daypass.domain.times import DAY_S
from daypass.quota.counters import SECOND, Counter, Moment, adjust, advance, fits, take
from daypass.quota.ledger import (
    LEASE_S,
    BucketState,
    Claim,
    Lease,
    Occupancy,
    Refusal,
    Reservation,
    Subject,
    refuse,
    state,
)

KEEP_S = 70 * DAY_S
MAX_LEAD_S = 2 * DAY_S
"""Maximum lead of the ledger over the clock, in seconds.

If the clock steps back by less, that is a clock fault, and no closed window reopens. If by more,
the clock was wrong before and has been corrected, so the ledger follows it back.
"""
SWEEP_STEP_S = DAY_S
"""Seconds by which each sweep advances the cut-off for closed windows. Small steps, because the
clock may be ahead now."""

# These tables are created here and not by the migrations: with PostgreSQL the ledger has a file of
# its own, and it must open before, and without, the database.
#
# quota_counter has one row per bucket: the latest window used. Earlier windows are in quota_window,
# so that their usage is still known if the clock is set back. `followed_until` is the latest minute
# from which the ledger ever followed the clock back.
SCHEMA = """
CREATE TABLE IF NOT EXISTS quota_counter (
    name TEXT PRIMARY KEY, since INTEGER NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quota_clock (id INTEGER PRIMARY KEY CHECK (id = 1), latest INTEGER);
INSERT OR IGNORE INTO quota_clock VALUES (1, 0);
CREATE TABLE IF NOT EXISTS quota_window (
    name TEXT NOT NULL, since INTEGER NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (name, since)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quota_clock_step (
    id INTEGER PRIMARY KEY CHECK (id = 1), followed_until INTEGER, swept INTEGER
);
INSERT OR IGNORE INTO quota_clock_step VALUES (1, 0, 0);
CREATE TABLE IF NOT EXISTS quota_lease (
    subject TEXT NOT NULL, id TEXT NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (subject, id)
) WITHOUT ROWID;
"""

RESET_CLOCK = """
UPDATE quota_clock_step
SET followed_until = max(followed_until, (SELECT latest FROM quota_clock));
UPDATE quota_clock SET latest = 0;
"""

_READ = """
SELECT name, since, used FROM quota_counter WHERE name IN (SELECT value FROM json_each(?))
"""
_WRITE = """
INSERT INTO quota_counter VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET since = excluded.since, used = excluded.used
"""

_READ_WINDOWS = """
SELECT name, since, used FROM quota_window WHERE name IN (SELECT value FROM json_each(?))
"""
_ADJUST_LATE = "UPDATE quota_window SET used = max(0, used + ?) WHERE name = ? AND since = ?"
_CLOSE = "INSERT OR REPLACE INTO quota_window VALUES (?, ?, ?)"

_HOLD_LEASE = "INSERT OR REPLACE INTO quota_lease VALUES (?, ?, ?)"
_EXPIRE_LEASES = "DELETE FROM quota_lease WHERE subject = ? AND expires_at <= ?"
_SHORTEN_LEASES = "UPDATE quota_lease SET expires_at = ?2 WHERE subject = ?1 AND expires_at > ?2"
_COUNT_OTHER_LEASES = "SELECT count(*) FROM quota_lease WHERE subject = ? AND id <> ?"
_COUNT_LEASES = "SELECT count(*) FROM quota_lease WHERE subject = ? AND expires_at > ?"
_RELEASE_LEASE = "DELETE FROM quota_lease WHERE subject = ? AND id = ?"


@dataclass(slots=True)
class Operation:
    """One operation, and the future of its outcome."""

    work: "Callable[[LedgerTransaction, Operation], Any]"
    claims: Sequence[Claim]
    amounts: Amounts = ONE_REQUEST
    """What to take, or by how much to change what was taken."""
    taken: tuple[Counter, ...] = ()
    """The counters just after the taking that is to be changed."""
    give_backs: Claim | None = None
    """The bucket of give-backs to take one unit from."""
    future: asyncio.Future[Any] | None = None

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody waits for the outcome. A change to an earlier taking is always made."""
        return not self.taken and self.future is not None and self.future.done()


class LedgerTransaction:
    """The operations of one transaction. Each bucket is read once and written once."""

    def __init__(
        self, connection: sqlite3.Connection, clock: float, operations: Sequence[Operation]
    ) -> None:
        """`clock` is Unix time in seconds. The transaction must have begun."""
        self._connection = connection
        self._clock_us = int(clock * SECOND)
        self._operations = operations
        self._latest_minute, self._followed_until = connection.execute(
            "SELECT latest, followed_until FROM quota_clock, quota_clock_step"
        ).fetchone()
        if self._latest_minute - clock > MAX_LEAD_S:
            self._followed_until = max(self._followed_until, self._latest_minute)
            self._latest_minute = 0
        # If the clock steps back, time stays in the latest minute in which anything was taken, so
        # a closed window never reopens.
        self._now = Moment(max(int(clock * SECOND), self._latest_minute * SECOND))
        names = {claim.name for operation in operations for claim in operation.claims}
        names |= {
            operation.give_backs.name
            for operation in operations
            if operation.give_backs is not None
        }
        listed = json.dumps(list(names))
        rows = connection.execute(_READ, (listed,)) if names else ()
        self._counters = {name: Counter(since, used) for name, since, used in rows}
        self._changed: set[str] = set()
        self._closed: dict[tuple[str, int], int] = {}
        """Units taken from windows other than those in `_counters`, by name and start."""
        if names and (self._may_reopen(Window.MONTH) or self._may_reopen(Window.WEEK)):
            rows = connection.execute(_READ_WINDOWS, (listed,))
            self._closed = {(name, since): used for name, since, used in rows}
        self._newly_closed: list[tuple[str, int, int]] = []
        self._late_changes: list[tuple[int, str, int]] = []

    def run(self) -> list[Any]:
        """Run the operations, write the changes, and return the outcomes in the same order."""
        outcomes = [
            None if operation.is_abandoned else operation.work(self, operation)
            for operation in self._operations
        ]
        self._connection.executemany(_WRITE, [(x, *self._counters[x]) for x in self._changed])
        self._connection.executemany(_CLOSE, self._newly_closed)
        self._connection.executemany(_ADJUST_LATE, self._late_changes)
        if self._changed:
            self._note_time()
        return outcomes

    def reserve(self, operation: Operation) -> Reservation | Refusal:
        """Take the amounts from every bucket, or nothing."""
        at = self._now.us / SECOND
        amounts = operation.amounts
        taken: list[Counter] = []
        for claim in operation.claims:
            amount = amounts[claim.measure]
            counter = take(claim.limit, self._read(claim), amount)
            if amount and not fits(claim.limit, counter):
                return refuse(at, self.peek(operation), amounts)
            taken.append(counter)
        for claim, counter in zip(operation.claims, taken, strict=True):
            self._set(claim, counter)
        return Reservation(at, tuple(map(state, operation.claims, taken)), tuple(taken), amounts)

    def adjust(self, operation: Operation) -> Refusal | None:
        """Change what was taken from every bucket whose window is still open.

        Returns the Refusal, and changes nothing, if the bucket of give-backs is full.
        """
        if operation.give_backs is not None:
            given = take(operation.give_backs.limit, self._read(operation.give_backs), 1)
            if not fits(operation.give_backs.limit, given):
                full = state(operation.give_backs, self._read(operation.give_backs))
                return refuse(self._now.us / SECOND, (full,))
            self._set(operation.give_backs, given)
        for claim, taken in zip(operation.claims, operation.taken, strict=True):
            change = operation.amounts[claim.measure]
            if change == 0:
                continue
            current = self._read(claim)
            self._set(claim, adjust(claim.limit, taken, current, self._now, change))
            if current.since != taken.since and not claim.limit.window.is_throttle:
                self._adjust_late(claim.name, taken.since, change)
        return None

    def peek(self, operation: Operation) -> tuple[BucketState, ...]:
        """Return the state of the buckets."""
        return tuple(state(claim, self._read(claim)) for claim in operation.claims)

    def acquire_lease(self, lease: Lease, limit: int) -> Occupancy:
        """Hold a lease unless `limit` others are held."""
        # Leases follow the machine's clock: the ledger's time stands still after a step back, and
        # the leases of a dead process would stand with it.
        subject = str(lease.subject)
        self._connection.execute(_EXPIRE_LEASES, (subject, self._clock_us))
        self._connection.execute(_SHORTEN_LEASES, (subject, self._lease_end))
        (others,) = self._connection.execute(_COUNT_OTHER_LEASES, (subject, lease.id)).fetchone()
        at = self._now.us / SECOND
        if others >= limit:
            return Occupancy(is_admitted=False, used=others, at=at)
        self.renew_lease(lease)
        return Occupancy(is_admitted=True, used=others + 1, at=at)

    def renew_lease(self, lease: Lease) -> None:
        """Hold a lease for another LEASE_S."""
        held = (str(lease.subject), lease.id, self._lease_end)
        self._connection.execute(_HOLD_LEASE, held)

    def release_lease(self, lease: Lease) -> None:
        """Free a lease."""
        self._connection.execute(_RELEASE_LEASE, (str(lease.subject), lease.id))

    def count_leases(self, subject: Subject) -> int:
        """Return how many leases a key holds."""
        held = self._connection.execute(_COUNT_LEASES, (str(subject), self._clock_us))
        number: int = held.fetchone()[0]
        return number

    @property
    def _lease_end(self) -> int:
        return self._clock_us + LEASE_S * SECOND

    def sweep(self) -> None:
        """Delete windows that closed long ago, and expired leases."""
        self._connection.execute("DELETE FROM quota_lease WHERE expires_at <= ?", (self._clock_us,))
        self._note_time()
        before = self._now.us - KEEP_S * SECOND
        self._connection.execute(
            "INSERT OR REPLACE INTO quota_window SELECT * FROM quota_counter"
            " WHERE since BETWEEN 1 AND ?",
            (before,),
        )
        # A total's window begins at 0 and is kept.
        self._connection.execute("DELETE FROM quota_counter WHERE since BETWEEN 1 AND ?", (before,))
        swept, oldest = self._connection.execute(
            "SELECT swept, (SELECT min(since) FROM quota_window) FROM quota_clock_step"
        ).fetchone()
        now = self._now.us // SECOND
        swept = min(now, (max(swept, (oldest or 0) // SECOND) or now) + SWEEP_STEP_S)
        self._connection.execute("UPDATE quota_clock_step SET swept = ?", (swept,))
        self._connection.execute(
            "DELETE FROM quota_window WHERE since < ?", ((swept - KEEP_S) * SECOND,)
        )

    def _note_time(self) -> None:
        """Store the latest minute in which anything changed."""
        minute = self._now.us // (60 * SECOND) * 60
        if minute <= self._latest_minute:
            return
        self._connection.execute("UPDATE quota_clock SET latest = ?", (minute,))
        self._connection.execute(
            "UPDATE quota_clock_step SET followed_until = ?, swept = min(swept, ?)",
            (self._followed_until, minute),
        )
        self._latest_minute = minute

    def _adjust_late(self, name: str, since: int, change: int) -> None:
        """Change a window that has been left, in case the clock returns to it."""
        self._late_changes.append((change, name, since))
        if (name, since) in self._closed:
            self._closed[name, since] = max(0, self._closed[name, since] + change)

    def _may_reopen(self, window: Window) -> bool:
        """Return whether the current window may have been used and left before."""
        reopens_until: int = self._followed_until * SECOND
        return reopens_until > 0 and self._now.start(window) <= reopens_until

    def _read(self, claim: Claim) -> Counter:
        stored = self._counters.get(claim.name)
        limit = claim.limit
        if limit.burst is not None:
            if stored is not None and stored.since > self._now.us:
                # Store this even on a refusal, or the bucket would never refill.
                stored = self._counters[claim.name] = Counter(self._now.us, stored.used)
                self._changed.add(claim.name)
        elif self._may_reopen(limit.window):
            start = self._now.start(limit.window)
            if stored is None or stored.since != start:
                stored = Counter(start, self._closed.get((claim.name, start), 0))
        return advance(limit, stored, self._now)

    def _set(self, claim: Claim, counter: Counter) -> None:
        old = self._counters.get(claim.name)
        is_left = old is not None and old.since != counter.since
        if old is not None and is_left and not claim.limit.window.is_throttle:
            self._closed[claim.name, old.since] = old.used
            self._newly_closed.append((claim.name, *old))
        self._counters[claim.name] = counter
        self._changed.add(claim.name)
