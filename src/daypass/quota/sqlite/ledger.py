"""The embedded ledger: one SQLite file, one writer thread, group commit.

Decisions that arrive while a transaction is being written share the next one, so the cost of a
commit is spread over all requests in flight.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daypass.domain.plans import NOTHING, ONE_REQUEST, Amounts
from daypass.domain.times import Clock
from daypass.quota.ledger import (
    DECISION_S,
    BucketState,
    Claim,
    Lease,
    LedgerUnavailableError,
    Occupancy,
    Refusal,
    Reservation,
    Subject,
)
from daypass.quota.sqlite.transaction import SCHEMA, LedgerTransaction, Operation

GROUP_SIZE = 256
GATHER_TURNS = 4
"""Maximum event-loop turns for which decisions wait for others to share their commit."""
BUSY_TIMEOUT_S = 1.5
BUSY_POLL_S = 0.001
WATCH_EVERY_S = 0.2
SWEEP_EVERY_S = 3_600


class SqliteLedger:
    """A ledger in one SQLite file, shared by every process of one machine."""

    def __init__(self, path: Path, clock: Clock = time.time) -> None:
        """`clock` gives Unix time in seconds."""
        self._path = path
        self._clock = clock
        self._jobs: queue.SimpleQueue[list[Operation]] = queue.SimpleQueue()
        self._gathered: list[Operation] = []
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._write, name="quota-writer", daemon=True)
        self._swept_at = 0.0
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Create missing tables and start the writer thread.

        Raises LedgerUnavailableError if the file cannot be opened or is not a database.
        """
        self._loop = asyncio.get_running_loop()
        try:
            with contextlib.closing(self._connect()) as connection:
                # Wait for another worker that is recovering the journal at startup.
                connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
                connection.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise LedgerUnavailableError(f"cannot open {self._path.name}: {error}") from error
        self._thread.start()

    async def close(self) -> None:
        """Write queued operations and stop the writer thread."""
        self._hand_over()
        self._jobs.put([])
        await asyncio.to_thread(self._thread.join)
        if self._watch is not None:
            self._watch.cancel()

    async def reserve(
        self, claims: Sequence[Claim], amounts: Amounts = ONE_REQUEST
    ) -> Reservation | Refusal:
        """Take the amounts from every claim's bucket, or nothing; committed when it returns."""
        outcome: Reservation | Refusal = await self._submit(
            Operation(LedgerTransaction.reserve, claims, amounts)
        )
        return outcome

    async def release(
        self, reservation: Reservation, give_backs: Claim | None = None
    ) -> bool | Refusal:
        """Give a reservation's units back, once, if the account has a give-back left."""
        if not reservation.is_open:
            return False
        reservation.is_open = False
        refusal: Refusal | None = await self._submit(_giving_back(reservation, give_backs))
        return refusal or True

    def settle(self, reservation: Reservation, used: Amounts | None = None) -> None:
        """Close a reservation. Writes only if the amounts used differ from those reserved."""
        was_open, reservation.is_open = reservation.is_open, False
        if was_open and used is not None and used != reservation.amounts:
            self._gather(_changing(reservation, used.minus(reservation.amounts)))

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """Return the state of the claims' buckets."""
        states: tuple[BucketState, ...] = await self._submit(
            Operation(LedgerTransaction.peek, claims)
        )
        return states

    async def acquire_lease(self, lease: Lease, limit: int) -> Occupancy:
        """Hold a lease, unless the key already holds `limit` others."""
        occupancy: Occupancy = await self._submit(
            Operation(lambda transaction, _: transaction.acquire_lease(lease, limit), ())
        )
        return occupancy

    def renew_lease(self, lease: Lease) -> None:
        """Hold a lease for another LEASE_S."""
        self._gather(Operation(lambda transaction, _: transaction.renew_lease(lease), ()))

    def release_lease(self, lease: Lease) -> None:
        """Free a lease."""
        self._gather(Operation(lambda transaction, _: transaction.release_lease(lease), ()))

    async def count_leases(self, subjects: Sequence[Subject]) -> tuple[int, ...]:
        """Return how many leases each key holds."""
        if not subjects:
            return ()
        numbers: tuple[int, ...] = await self._submit(
            Operation(lambda transaction, _: tuple(map(transaction.count_leases, subjects)), ())
        )
        return numbers

    async def check_writable(self) -> None:
        """Take the write lock and commit. Raises LedgerUnavailableError."""
        await self._submit(Operation(LedgerTransaction.peek, ()))

    def _submit(self, job: Operation) -> asyncio.Future[Any]:
        job.future = self._loop.create_future()
        self._gather(job)
        self._waiting.append((self._loop.time() + DECISION_S - WATCH_EVERY_S, job.future))
        if self._watch is None:
            self._watch = self._loop.call_later(WATCH_EVERY_S, self._give_up)
        return job.future

    def _gather(self, job: Operation) -> None:
        if not self._gathered:
            self._loop.call_soon(self._await_more, 1, GATHER_TURNS)
        self._gathered.append(job)

    def _await_more(self, known: int, turns: int) -> None:
        """Queue the gathered operations, unless this event-loop turn added more.

        Under load this doubles the size of a group, which halves commits and writer wake-ups.
        """
        gathered = len(self._gathered)
        if gathered > known and turns:
            self._loop.call_soon(self._await_more, gathered, turns - 1)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._gathered:
            self._jobs.put(self._gathered)
            self._gathered = []

    def _give_up(self) -> None:
        """Fail operations that waited too long, so that a hung disk blocks only the writer."""
        now = self._loop.time()
        while self._waiting:
            deadline, future = self._waiting[0]
            if not future.done():
                if deadline > now:
                    break
                future.set_exception(LedgerUnavailableError("the ledger's database hangs"))
            self._waiting.popleft()
        self._watch = self._loop.call_later(WATCH_EVERY_S, self._give_up) if self._waiting else None

    def _deliver(self, jobs: list[Operation], outcomes: list[Any]) -> None:
        """Deliver the outcomes of a group to the waiting callers."""
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.future is None:
                continue
            if job.future.done():
                if isinstance(outcome, Reservation):  # The caller was cancelled or timed out.
                    self._gather(_giving_back(outcome))
            elif isinstance(outcome, Exception):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)

    # Everything below runs in the writer thread.

    def _write(self) -> None:
        connection: sqlite3.Connection | None = None
        owed: list[Operation] = []
        while jobs := self._next_group():
            group = owed + jobs
            try:
                connection = connection or self._connect()
                outcomes = self._transact(connection, group)
                owed = []
            # On any failure (a corrupt file can cause many), answer the callers.
            except Exception as error:
                if connection is not None:
                    connection.close()
                    connection = None
                failure = LedgerUnavailableError(f"the ledger's database failed: {error}")
                outcomes = [failure] * len(group)
                owed = [job for job in group if job.taken]
            # The loop may be closed when the process ends.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._deliver, group, outcomes)
        if connection is not None:
            connection.close()

    def _next_group(self) -> list[Operation]:
        """Wait for a job and return all that are queued; an empty list when the ledger closes."""
        jobs = list(self._jobs.get())
        while jobs and len(jobs) < GROUP_SIZE and not self._jobs.empty():
            more = self._jobs.get()
            if not more:
                self._jobs.put(more)
                break
            jobs += more
        return jobs

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction with the write lock held. Raises sqlite3.OperationalError.

        SQLite's busy handler backs off to one attempt per 100 ms, so it starves beside a process
        that writes one group after another.
        """
        give_up_at = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() > give_up_at:
                    raise
                time.sleep(BUSY_POLL_S)
            else:
                return

    def _transact(self, connection: sqlite3.Connection, jobs: list[Operation]) -> list[Any]:
        # IMMEDIATE holds the write lock from the first read, so that no other process changes a
        # bucket between the check and the write.
        self._begin(connection)
        try:
            now = self._clock()
            group = LedgerTransaction(connection, now, jobs)
            outcomes = group.run()
            if now - self._swept_at > SWEEP_EVERY_S:
                group.sweep()
                self._swept_at = now
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return outcomes


def _changing(
    reservation: Reservation, change: Amounts, give_backs: Claim | None = None
) -> Operation:
    claims = [bucket.claim for bucket in reservation.buckets]
    return Operation(LedgerTransaction.adjust, claims, change, reservation.taken, give_backs)


def _giving_back(reservation: Reservation, give_backs: Claim | None = None) -> Operation:
    return _changing(reservation, NOTHING.minus(reservation.amounts), give_backs)
