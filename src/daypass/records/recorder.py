"""What happened, gathered in memory and written in batches."""

import asyncio
from collections import deque

import structlog

from daypass.records import api_keys, receipts, usage
from daypass.records.database import Database, DatabaseUnavailableError, UnstorableError
from daypass.records.receipts import Receipt
from daypass.records.usage import UsageRow, Use

FLUSH_EVERY_S = 1.0

log = structlog.get_logger()


class Recorder:
    """Gathers usage and receipts in memory and writes them every second.

    These rows inform people; the ledger alone decides. What a crash loses here is at most a
    second of statistics, never a count.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._usage: dict[UsageRow, Use] = {}
        self._receipts: dict[str, deque[Receipt]] = {}
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def use(self, row: UsageRow) -> Use:
        """What waits to be added to a row: add to it before anything else is awaited."""
        use = self._usage.get(row)
        if use is None:
            use = self._usage[row] = Use()
        return use

    def receipt(self, account_id: str, receipt: Receipt) -> None:
        """Keep the receipt of a request. Does not wait; older ones than are kept fall out."""
        kept = self._receipts.get(account_id)
        if kept is None:
            kept = self._receipts[account_id] = deque(maxlen=receipts.KEPT)
        kept.append(receipt)

    @property
    def has_pending(self) -> bool:
        """Whether anything waits to be written."""
        return bool(self._usage or self._receipts)

    def start(self) -> None:
        """Begin to write in the background."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Write what is pending and stop."""
        async with self._writing:  # What is being written is written to its end.
            if self._task is not None:
                self._task.cancel()
        await self.flush()

    async def flush(self) -> None:
        """Write what is pending now, and wait for what is being written.

        What cannot be written stays pending.
        """
        async with self._writing:
            await self._write()

    async def _write(self) -> None:
        if not self.has_pending:
            return
        pending, self._usage = self._usage, {}
        kept, self._receipts = self._receipts, {}
        try:
            async with self._database.write() as session:
                if pending:
                    await usage.add(session, pending)
                    await api_keys.note_use(session, _last_uses(pending))
                if kept:
                    await receipts.add(session, kept)
        except DatabaseUnavailableError as error:
            log.warning("usage_not_written", reason=str(error), rows=len(pending))
            self._keep(pending, kept)
        except UnstorableError:
            # Kept, it would hold up all that comes after it.
            log.error("usage_lost", rows=len(pending))

    def _keep(self, pending: dict[UsageRow, Use], kept: dict[str, deque[Receipt]]) -> None:
        for row, use in pending.items():
            self.use(row).add(use)
        for account_id, older in kept.items():
            newer = self._receipts.get(account_id, ())
            self._receipts[account_id] = deque((*older, *newer), maxlen=receipts.KEPT)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self.flush()


def _last_uses(pending: dict[UsageRow, Use]) -> dict[str, int]:
    """When each key was last used, by its id."""
    last: dict[str, int] = {}
    for row, use in pending.items():
        if use.last_at:
            last[row.api_key_id] = max(use.last_at, last.get(row.api_key_id, 0))
    return last
