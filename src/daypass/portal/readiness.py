"""The readiness check: the stores respond and are writable."""

import asyncio
import tempfile
import time
from pathlib import Path

from daypass.quota.ledger import Ledger
from daypass.records.database import Database, DatabaseUnavailableError

FRESH_S = 1.0
"""Seconds for which a success is cached, because the route writes and is public."""
TEST_FILE_BYTES = 256 * 1024


class Readiness:
    """Checks the stores, with one check for all concurrent requests."""

    def __init__(self, database: Database, ledger: Ledger, data_dir: Path) -> None:
        self._database = database
        self._ledger = ledger
        self._data_dir = data_dir
        self._good_until = 0.0
        self._checking: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Raise DatabaseUnavailableError or LedgerUnavailableError if a store is not usable."""
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
        file.write(bytes(TEST_FILE_BYTES))
