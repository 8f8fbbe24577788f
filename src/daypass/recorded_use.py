"""What the records know of counters that Redis has lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from daypass.plans import Window
from daypass.quota.counters import SECOND, Moment, reaches_back_to
from daypass.quota.ledger import Claim, LedgerUnavailableError, Subject
from daypass.records import begun_counters, usage, usage_writers
from daypass.records.database import Database, DatabaseUnavailableError

BEHIND_MAX_S = 10.0
LOOK_AGAIN_S = 0.2


class RecordedUse:
    """The usage table, as a ledger asks for it.

    The table knows days, and no longer the slots of keys that were deleted. What it cannot tell
    apart counts in full: a bucket begins too empty rather than too full.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """`clock` gives Unix time in seconds."""
        self._database = database
        self._clock = clock
        self._beginning: dict[str, asyncio.Future[bool]] = {}
        self._writer: asyncio.Task[None] | None = None

    async def begin(self, subject: str) -> bool:
        """Note that counters begin. False: they had begun before, here or in another process."""
        future = self._beginning.get(subject)
        if future is None:
            future = self._beginning[subject] = asyncio.get_running_loop().create_future()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await asyncio.shield(future)

    async def used(self, claims: Sequence[Claim], moment: Moment) -> list[int]:
        """Requests that each bucket has served since the day to which it reaches back."""
        await self._all_written()
        days = [Window.DAY.start(reaches_back_to(x.limit, moment) // SECOND) for x in claims]
        async with _as_ledger(), self._database.read() as session:
            account = next((x.subject.account for x in claims if x.subject.account), None)
            rows = await usage.by_slot(session, account, min(days)) if account else []
            return [
                sum(count for day, slot, count in rows if day >= since and _is_of(subject, slot))
                if subject.account
                else await usage.site_requests_since(session, since)
                for subject, since in zip((x.subject for x in claims), days, strict=True)
            ]

    async def _all_written(self) -> None:
        """Wait until every process has written what it had served by now.

        Raises LedgerUnavailableError when one stays behind.
        """
        deadline = asyncio.get_running_loop().time() + BEHIND_MAX_S
        began: int | None = None
        while True:
            async with _as_ledger(), self._database.read() as session:
                now, behind_since = await usage_writers.behind_since(session)
            began = began or now
            if behind_since is None or behind_since > began:
                return
            if asyncio.get_running_loop().time() > deadline:
                message = "Redis has lost counters, and usage is still being written"
                raise LedgerUnavailableError(message)
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _write(self) -> None:
        """One transaction at a time: all who come meanwhile share the next one.

        When Redis has lost everything, everybody comes at once.
        """
        try:
            while self._beginning:
                group, self._beginning = self._beginning, {}
                try:
                    async with _as_ledger(), self._database.write() as session:
                        new = await begun_counters.begin(session, group, int(self._clock()))
                except Exception as error:  # Whatever it was, nobody waits for ever.
                    for future in group.values():
                        future.set_exception(error)
                    continue
                for subject, future in group.items():
                    future.set_result(subject in new)
        finally:
            self._writer = None


def _is_of(subject: Subject, slot: int | None) -> bool:
    return subject.kind == "account" or slot is None or slot == subject.slot


@asynccontextmanager
async def _as_ledger() -> AsyncIterator[None]:
    try:
        yield
    except DatabaseUnavailableError as error:
        message = f"Redis has lost counters, which cannot be rebuilt now: {error}"
        raise LedgerUnavailableError(message) from error
