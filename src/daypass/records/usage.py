"""What was used, by day: gathered in memory and written in batches."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import Database
from daypass.records.tables import ApiKey, UsageDay

FLUSH_EVERY_S = 1.0

log = structlog.get_logger()


class UsageRow(NamedTuple):
    """The primary key of a usage row. `day` is Unix time of its first second."""

    day: int
    api_key_id: str
    model: str
    via: str


@dataclass(frozen=True, slots=True)
class Use:
    """What one request adds to its usage row; a unit given back is taken off again."""

    requests: int = 0
    refused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class UsageRecorder:
    """Gathers usage in memory and writes it every second.

    These rows inform people; the ledger alone decides. What a crash loses here is at most a
    second of statistics, never a count.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: dict[UsageRow, Counter[str]] = {}
        self._last_used: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, row: UsageRow, use: Use, at: float) -> None:
        """Add one request to its row. Does not wait. `at` is Unix time in seconds."""
        counter = self._pending.get(row)
        if counter is None:
            counter = self._pending[row] = Counter()
        counter["requests"] += use.requests
        counter["refused"] += use.refused
        counter["input_tokens"] += use.input_tokens
        counter["output_tokens"] += use.output_tokens
        if use.requests > 0:
            self._last_used[row.api_key_id] = int(at)

    def start(self) -> None:
        """Begin to write in the background."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Write what is pending and stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def flush(self) -> None:
        """Write what is pending now. What cannot be written stays pending."""
        if not self._pending and not self._last_used:
            return
        pending, self._pending = self._pending, {}
        last_used, self._last_used = self._last_used, {}
        try:
            async with self._database.write() as session:
                # In primary-key order, so that two writers never wait for each other.
                for row in sorted(pending):
                    await _add_row(session, row, pending[row])
                for api_key_id in sorted(last_used):
                    await session.execute(
                        update(ApiKey)
                        .where(ApiKey.id == api_key_id)
                        .values(last_used_at=last_used[api_key_id])
                    )
        except (SQLAlchemyError, OSError) as error:
            log.warning("usage_not_written", reason=type(error).__name__, rows=len(pending))
            for row, counter in pending.items():
                self._pending.setdefault(row, Counter()).update(counter)
            self._last_used = last_used | self._last_used

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self.flush()


async def _add_row(session: AsyncSession, row: UsageRow, counter: Counter[str]) -> None:
    counts = {name: counter[name] for name in ("requests", "refused", *_TOKENS)}
    statement = insert(UsageDay).values(**row._asdict(), **counts)
    columns = UsageDay.__table__.c
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=list(UsageRow._fields),
            set_={name: columns[name] + statement.excluded[name] for name in counts},
        )
    )


_TOKENS = ("input_tokens", "output_tokens")


# A row whose every request was given back says nothing.
_SOMETHING = or_(UsageDay.requests > 0, UsageDay.refused > 0)


async def by_day(
    session: AsyncSession, account_id: str, since: int
) -> Sequence[tuple[UsageDay, str]]:
    """An account's usage rows with their key's name, newest first.

    `since` is Unix time: the first second of the oldest day wanted.
    """
    rows = await session.execute(
        select(UsageDay, ApiKey.name)
        .join(ApiKey, ApiKey.id == UsageDay.api_key_id)
        .where(ApiKey.account_id == account_id, UsageDay.day >= since, _SOMETHING)
        .order_by(UsageDay.day.desc(), ApiKey.name, UsageDay.model, UsageDay.via)
    )
    return [(usage, name) for usage, name in rows]
