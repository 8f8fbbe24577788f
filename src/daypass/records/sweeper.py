"""Deleting rows whose time is over, beside the requests rather than within them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from daypass.background import end
from daypass.records import accounts, throttles
from daypass.records.database import Database, DatabaseUnavailableError

SWEEP_EVERY_S = 60.0


@contextlib.asynccontextmanager
async def sweeping(database: Database, clock: Callable[[], float]) -> AsyncIterator[None]:
    """Sweep once a minute, in the background. `clock` gives Unix time in seconds."""
    task = asyncio.create_task(_sweep_every_minute(database, clock))
    try:
        yield
    finally:
        await end([task])


async def sweep(database: Database, now: float) -> None:
    """Delete sessions that have expired and throttles that are whole again, as of `now`."""
    async with database.write() as session:
        await accounts.delete_expired_sessions(session, int(now))
        await throttles.delete_whole(session, int(now * 1000))


async def _sweep_every_minute(database: Database, clock: Callable[[], float]) -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        with contextlib.suppress(DatabaseUnavailableError):
            await sweep(database, clock())
