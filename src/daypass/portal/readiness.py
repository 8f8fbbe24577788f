"""Whether this process can serve: its stores answer, and take what is written to them."""

import asyncio
import tempfile
import time
from pathlib import Path

from daypass.quota.ledger import Ledger
from daypass.records.database import Database, DatabaseUnavailableError

FRESH_S = 1.0
"""Seconds for which a good answer holds: the route is open to everybody, and writes."""
ROOM_BYTES = 256 * 1024


class Readiness:
    """Checks the stores, once for all who ask at the same time."""

    def __init__(self, database: Database, ledger: Ledger, data_dir: Path) -> None:
        self._database = database
        self._ledger = ledger
        self._data_dir = data_dir
        self._good_until = 0.0
        self._checking: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Raise DatabaseUnavailableError or LedgerUnavailableError when a store cannot serve."""
        if time.monotonic() < self._good_until:
            return
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        await asyncio.shield(self._checking)

    async def _check(self) -> None:
        await self._database.check_writable()
        await self._ledger.check_writable()
        try:
            await asyncio.to_thread(_write_into, self._data_dir)
        except OSError as error:
            message = f"the data directory cannot be written: {error.strerror}"
            raise DatabaseUnavailableError(message) from error
        self._good_until = time.monotonic() + FRESH_S


def _write_into(directory: Path) -> None:
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        file.write(bytes(ROOM_BYTES))
