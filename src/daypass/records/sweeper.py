"""Deleting rows whose time is over, beside the requests rather than within them."""

import asyncio
import contextlib
from collections.abc import Callable

from daypass.records import accounts, throttles
from daypass.records.database import Database, DatabaseUnavailableError

SWEEP_EVERY_S = 60.0


class Sweeper:
    """Deletes expired sessions, and throttles that are whole again, once a minute."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """`clock` gives Unix time in seconds."""
        self._database = database
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep in the background."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop sweeping."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def sweep(self) -> None:
        """Delete what has expired by now."""
        now = self._clock()
        async with self._database.write() as session:
            await accounts.delete_expired_sessions(session, int(now))
            await throttles.delete_whole(session, int(now * 1000))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            with contextlib.suppress(DatabaseUnavailableError):
                await self.sweep()
