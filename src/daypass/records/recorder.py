"""What happened, gathered in memory and written in batches."""

import asyncio
from collections import Counter, deque

import structlog
from sqlalchemy import update

from daypass.records import receipts, usage
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.receipts import Receipt
from daypass.records.tables import ApiKey
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
        self._usage: dict[UsageRow, Counter[str]] = {}
        self._receipts: dict[str, deque[Receipt]] = {}
        self._last_used: dict[str, int] = {}
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def use(self, row: UsageRow, use: Use, at: float) -> None:
        """Add one request to its usage row. Does not wait. `at` is Unix time in seconds."""
        counter = self._usage.get(row)
        if counter is None:
            counter = self._usage[row] = Counter()
        counter["requests"] += use.requests
        counter["refused"] += use.refused
        counter["input_tokens"] += use.input_tokens
        counter["output_tokens"] += use.output_tokens
        if use.requests > 0:
            self._last_used[row.api_key_id] = int(at)

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
        last_used, self._last_used = self._last_used, {}
        try:
            async with self._database.write() as session:
                # In primary-key order, so that two writers never wait for each other.
                for row in sorted(pending):
                    await usage.add(session, row, pending[row])
                for api_key_id in sorted(last_used):
                    await session.execute(
                        update(ApiKey)
                        .where(ApiKey.id == api_key_id)
                        .values(last_used_at=last_used[api_key_id])
                    )
                for account_id in sorted(kept):
                    await receipts.add(session, account_id, kept[account_id])
        except DatabaseUnavailableError as error:
            log.warning("usage_not_written", reason=str(error), rows=len(pending))
            self._keep(pending, kept, last_used)

    def _keep(
        self,
        pending: dict[UsageRow, Counter[str]],
        kept: dict[str, deque[Receipt]],
        last_used: dict[str, int],
    ) -> None:
        for row, counter in pending.items():
            self._usage.setdefault(row, Counter()).update(counter)
        for account_id, older in kept.items():
            newer = self._receipts.get(account_id, ())
            self._receipts[account_id] = deque((*older, *newer), maxlen=receipts.KEPT)
        self._last_used = last_used | self._last_used

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self.flush()
