"""Usage and receipts, gathered in memory and written in batches."""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.background import end
from daypass.records import api_keys, receipts, usage, usage_writers
from daypass.records.database import (
    ANSWER_S,
    Database,
    DatabaseUnavailableError,
    UnstorableError,
)
from daypass.records.receipts import Receipt
from daypass.records.usage import UsageRow, Use

FLUSH_EVERY_S = 1.0
WRITE_S = 30.0
"""Seconds that one attempt to write a batch may take. No request waits for it."""
CLOSE_S = 5.0
BEHIND_AFTER_S = 1.5
"""Seconds after which a process announces that it has unwritten usage."""
CHECK_EVERY_S = 0.5
MAX_BEHIND_S = 60.0
MAX_ROWS = 200_000

log = structlog.get_logger()


@dataclass(slots=True)
class Batch:
    """Usage and receipts that are written in one transaction."""

    usage: dict[UsageRow, Use] = field(default_factory=dict)
    receipts: dict[str, deque[Receipt]] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)
    """When its first entry was gathered (monotonic clock, seconds)."""
    number: int = 0
    """Its number, assigned when it is first written and never changed."""

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to write."""
        return not (self.usage or self.receipts)

    @property
    def rows(self) -> int:
        """Return the number of usage rows and of accounts with receipts."""
        return len(self.usage) + len(self.receipts)


class Recorder:
    """Gathers usage and receipts in memory and writes them every second.

    The rows inform users, and lost Redis counters are rebuilt from them. A batch is
    retried until it is written, exactly once. A crash loses at most a second of statistics,
    never a count.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._id = secrets.token_hex(8)
        self._gathering = Batch()
        self._unwritten: Batch | None = None
        """The batch that is being written or could not be written yet."""
        self._batches = 0
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_too_long = False
        self.is_overdue = False
        """Whether too much is waiting to be written to gather more."""

    def use(self, row: UsageRow) -> Use:
        """Return what is to be added to a row. Change it before awaiting anything."""
        batch = self._batch()
        use = batch.usage.get(row)
        if use is None:
            use = batch.usage[row] = Use()
        return use

    def receipt(self, account_id: str, receipt: Receipt) -> None:
        """Keep the receipt of a request, without waiting. The oldest receipts are dropped."""
        batch = self._batch()
        kept = batch.receipts.get(account_id)
        if kept is None:
            kept = batch.receipts[account_id] = deque(maxlen=receipts.KEPT)
        kept.append(receipt)

    @property
    def has_pending(self) -> bool:
        """Return whether anything is waiting to be written."""
        return self._unwritten is not None or not self._gathering.is_empty

    def backlog(self) -> tuple[int, float]:
        """Return the number of unwritten rows, and the age of the oldest in seconds."""
        oldest = self._unwritten or self._gathering
        if oldest.is_empty:
            return 0, 0.0
        waiting = self._gathering.rows if oldest is not self._gathering else 0
        return oldest.rows + waiting, time.monotonic() - oldest.since

    def check_backlog(self) -> None:
        """Set `is_overdue` if the backlog is too long, now and at the previous check.

        A process that was suspended finds an old backlog, but has had no time to write it.
        """
        rows, age_s = self.backlog()
        was_too_long = self._is_too_long
        self._is_too_long = rows > MAX_ROWS or age_s > MAX_BEHIND_S
        self.is_overdue = self._is_too_long and was_too_long

    def start(self) -> None:
        """Start to write in the background."""
        for work in (self._write_every_second(), self._watch()):
            self._keep(asyncio.create_task(work))

    async def close(self) -> None:
        """Write what is pending, for up to 5 seconds, and stop."""
        await self._flush(CLOSE_S)
        await end(self._tasks)
        if self.has_pending:
            log.error("usage_lost", rows=self.backlog()[0])
        elif self._batches:
            with contextlib.suppress(DatabaseUnavailableError):
                async with self._database.write() as session:
                    await usage_writers.retire(session, self._id)

    async def flush(self) -> None:
        """Write what is pending now. Returns within 2 seconds, even if writing takes longer."""
        await self._flush(ANSWER_S)

    async def _flush(self, patience_s: float) -> None:
        # The caller may stop waiting; the batch is written anyway.
        writing = self._keep(asyncio.create_task(self._write()))
        await asyncio.wait({writing}, timeout=patience_s)

    def _keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _batch(self) -> Batch:
        if self._gathering.is_empty:
            self._gathering.since = time.monotonic()
        return self._gathering

    async def _write(self) -> None:
        async with self._writing:
            if self._unwritten is not None:
                await self._write_batch(self._unwritten)
            if self._unwritten is None and not self._gathering.is_empty:
                self._batches += 1
                batch, self._gathering = self._gathering, Batch()
                batch.number = self._batches
                self._unwritten = batch
                await self._write_batch(batch)

    async def _write_batch(self, batch: Batch) -> None:
        try:
            async with self._database.write(WRITE_S) as session:
                await _add(session, batch)
                # Last, so that the row, which `_watch` needs, is not locked while other rows wait.
                behind_ms = _behind_ms(self._gathering)
                await usage_writers.finish_batch(session, self._id, batch.number, behind_ms)
        except usage_writers.WrittenBeforeError:
            pass
        except DatabaseUnavailableError as error:
            log.warning("usage_not_written", reason=str(error), rows=batch.rows)
            return
        except UnstorableError:
            # If kept, it would block all later batches.
            log.error("usage_lost", rows=batch.rows)
        self._unwritten = None

    async def _write_every_second(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self._write()

    async def _watch(self) -> None:
        """Announce the start and end of a backlog, and check whether it has grown too long."""
        is_announced = False
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            self.check_backlog()
            behind_ms = _behind_ms(self._unwritten or self._gathering)
            if behind_ms is not None or is_announced:
                with contextlib.suppress(DatabaseUnavailableError):
                    async with self._database.write() as session:
                        await usage_writers.announce(session, self._id, behind_ms)
                    is_announced = behind_ms is not None


async def _add(session: AsyncSession, batch: Batch) -> None:
    if batch.usage:
        await usage.add(session, batch.usage)
        await api_keys.note_use(session, _last_uses(batch.usage))
    if batch.receipts:
        await receipts.add(session, batch.receipts)


def _behind_ms(batch: Batch) -> int | None:
    """Return the age of a batch in milliseconds, or None while it is normal."""
    age_s = 0.0 if batch.is_empty else time.monotonic() - batch.since
    return int(age_s * 1000) if age_s > BEHIND_AFTER_S else None


def _last_uses(pending: dict[UsageRow, Use]) -> dict[str, int]:
    """Return when each key was last used, by its id."""
    last: dict[str, int] = {}
    for row, use in pending.items():
        if use.last_at:
            last[row.api_key_id] = max(use.last_at, last.get(row.api_key_id, 0))
    return last
