"""The embedded ledger: one SQLite file, one writer thread, group commit.

Decisions that arrive while a transaction is being written wait for the next one and share
it, so a commit's cost is spread over as many requests as are in flight.
"""

import asyncio
import contextlib
import json
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from daypass.quota.ledger import (
    Bucket,
    BucketState,
    Claim,
    LedgerUnavailableError,
    Refusal,
    Reservation,
    decide,
)

GROUP_SIZE = 256
BUSY_TIMEOUT_S = 1.5
LEASE_S = 3_600
KEEP_BUCKETS_S = 70 * 86_400
SWEEP_EVERY_S = 60

_SCHEMA = """
CREATE TABLE IF NOT EXISTS quota_bucket (
    subject TEXT NOT NULL, window TEXT NOT NULL, start INTEGER NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (subject, window, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quota_reservation (
    id INTEGER PRIMARY KEY, buckets TEXT NOT NULL, lease_ends INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS quota_clock (id INTEGER PRIMARY KEY CHECK (id = 1), latest INTEGER);
INSERT OR IGNORE INTO quota_clock VALUES (1, 0);
"""

_READ = "SELECT used FROM quota_bucket WHERE subject = ? AND window = ? AND start = ?"
_WRITE = """
INSERT INTO quota_bucket VALUES (?, ?, ?, ?)
ON CONFLICT (subject, window, start) DO UPDATE SET used = excluded.used
"""


Outcome = TypeVar("Outcome")


class SqliteLedger:
    """A ledger in one SQLite file, shared by every process of one machine."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix time in seconds."""
        self._path = path
        self._clock = clock
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="quota-writer", daemon=True)
        self._ids = count(secrets.randbits(62))
        self._swept_at = 0.0
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Create the tables where they are missing and start the writer thread.

        Raises LedgerUnavailableError when the file cannot be opened or is not a database.
        """
        self._loop = asyncio.get_running_loop()
        try:
            with contextlib.closing(self._connect()) as connection:
                connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise LedgerUnavailableError(f"cannot open {self._path.name}: {error}") from error
        self._thread.start()

    async def close(self) -> None:
        """Write what is queued and end the writer thread."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    async def reserve(self, claims: Sequence[Claim]) -> Reservation | Refusal:
        """Take one unit from every claim's bucket, or none; committed when it returns."""

        def work(group: _Group) -> Reservation | Refusal:
            states = group.states(claims)
            hit = decide(states)
            if hit is not None:
                return Refusal(group.now, hit, states)
            reservation = Reservation(next(self._ids), group.now, group.take(states))
            group.opened.append(reservation)
            return reservation

        return await self._submit(work, undo=self._release_unclaimed)

    async def release(self, reservation: Reservation) -> bool:
        """Give a reservation's units back, once. False: it was closed before."""
        return await self._submit(lambda group: group.release(reservation.id))

    def settle(self, reservation: Reservation) -> None:
        """Close a reservation as used."""
        self._jobs.put(_Job(lambda group: group.settled.add(reservation.id)))

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """How full the claims' buckets are now."""
        return await self._submit(lambda group: group.states(claims))

    async def _submit(
        self,
        work: "Callable[[_Group], Outcome]",
        undo: Callable[[Outcome], None] | None = None,
    ) -> Outcome:
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._jobs.put(_Job(work, future, undo))
        return await future

    def _release_unclaimed(self, outcome: Reservation | Refusal) -> None:
        """Give back what was reserved for a request that went away meanwhile."""
        if isinstance(outcome, Reservation):
            self._jobs.put(_Job(lambda group: group.release(outcome.id)))

    # Everything below runs in the writer thread, but for `_deliver`.

    def _write(self) -> None:
        connection: sqlite3.Connection | None = None
        while jobs := self._next_group():
            try:
                connection = connection or self._connect()
                outcomes = self._transact(connection, jobs)
            except sqlite3.Error as error:
                if connection is not None:
                    connection.close()
                    connection = None
                failure = LedgerUnavailableError(f"the ledger's database failed: {error}")
                outcomes = [failure] * len(jobs)
            self._loop.call_soon_threadsafe(_deliver, jobs, outcomes)
        if connection is not None:
            connection.close()

    def _next_group(self) -> "list[_Job]":
        """The jobs that wait now, at least one; none when the ledger closes."""
        jobs: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == GROUP_SIZE:
                return jobs
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs
        if jobs:
            self._jobs.put(None)
        return jobs

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _transact(self, connection: sqlite3.Connection, jobs: "list[_Job]") -> list[Any]:
        # IMMEDIATE: the write lock is held from the first read, so that no other process can
        # change a bucket between the check and the write.
        connection.execute("BEGIN IMMEDIATE")
        try:
            group = _Group(connection, self._clock())
            outcomes = [job.work(group) for job in jobs]
            group.flush()
            if group.now - self._swept_at > SWEEP_EVERY_S:
                group.sweep()
                self._swept_at = group.now
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return outcomes


@dataclass(slots=True)
class _Job:
    work: "Callable[[_Group], Any]"
    future: "asyncio.Future[Any] | None" = None
    undo: Callable[[Any], None] | None = None


def _deliver(jobs: list[_Job], outcomes: list[Any]) -> None:
    """Hand the outcomes of a group to those who wait. Runs in the event loop."""
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future is None:
            continue
        if job.future.cancelled():
            if job.undo is not None and not isinstance(outcome, Exception):
                job.undo(outcome)
        elif isinstance(outcome, Exception):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)


class _Group:
    """The jobs of one transaction. Each bucket is read once and written once."""

    def __init__(self, connection: sqlite3.Connection, clock: float) -> None:
        self._connection = connection
        self._used: dict[Bucket, int] = {}
        self._changed: set[Bucket] = set()
        self.opened: list[Reservation] = []
        self.settled: set[int] = set()
        (self._latest,) = connection.execute("SELECT latest FROM quota_clock").fetchone()
        # A clock that steps back stays in the latest minute seen: a window that has closed
        # never opens again.
        self.now = max(clock, float(self._latest))

    def states(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        return tuple(
            BucketState(claim, self._read(bucket), claim.limit.window.end(bucket.start))
            for claim in claims
            for bucket in [claim.bucket(self.now)]
        )

    def take(self, states: Sequence[BucketState]) -> tuple[BucketState, ...]:
        for state in states:
            self._set(state.claim.bucket(self.now), state.used + 1)
        return tuple(BucketState(x.claim, x.used + 1, x.resets_at) for x in states)

    def release(self, reservation_id: int) -> bool:
        if reservation_id in self.settled:
            return False
        row = self._connection.execute(
            "DELETE FROM quota_reservation WHERE id = ? RETURNING buckets", (reservation_id,)
        ).fetchone()
        if row is None:
            return False
        for bucket in (Bucket(*name) for name in json.loads(row[0])):
            self._set(bucket, max(0, self._read(bucket) - 1))
        return True

    def flush(self) -> None:
        """Write what the jobs changed."""
        execute = self._connection.executemany
        execute(_WRITE, [(*bucket, self._used[bucket]) for bucket in self._changed])
        lease_ends = int(self.now) + LEASE_S
        execute(
            "INSERT INTO quota_reservation VALUES (?, ?, ?)",
            [
                (x.id, json.dumps([s.claim.bucket(x.at) for s in x.buckets]), lease_ends)
                for x in self.opened
            ],
        )
        execute("DELETE FROM quota_reservation WHERE id = ?", [(x,) for x in self.settled])
        minute = int(self.now) // 60 * 60
        if minute > self._latest:
            self._connection.execute("UPDATE quota_clock SET latest = ?", (minute,))

    def sweep(self) -> None:
        """Settle as used what outlived its lease, and forget windows long closed."""
        execute = self._connection.execute
        execute("DELETE FROM quota_reservation WHERE lease_ends < ?", (int(self.now),))
        execute("DELETE FROM quota_bucket WHERE start < ?", (int(self.now) - KEEP_BUCKETS_S,))

    def _read(self, bucket: Bucket) -> int:
        used = self._used.get(bucket)
        if used is None:
            row = self._connection.execute(_READ, bucket).fetchone()
            used = self._used[bucket] = row[0] if row else 0
        return used

    def _set(self, bucket: Bucket, used: int) -> None:
        self._used[bucket] = used
        self._changed.add(bucket)
