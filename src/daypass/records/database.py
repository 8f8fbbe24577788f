"""The database connection and its migrations."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

BUSY_TIMEOUT_MS = 1_500
MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseUnavailableError(Exception):
    """The database could not be opened or migrated. The message says which and why."""


class Database:
    """Sessions on one database: `read` for queries, `write` for one transaction."""

    def __init__(self, path: Path) -> None:
        """`path` is the SQLite file; it is created by `migrate`."""
        self._path = path
        self._engine = _sqlite_engine(path)
        # Outside a transaction a read sees the newest commit and holds no lock.
        autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._read = async_sessionmaker(autocommit, expire_on_commit=False)
        self._write = async_sessionmaker(self._engine, expire_on_commit=False)

    def read(self) -> AsyncSession:
        """A session for queries only: `async with database.read() as session`."""
        return self._read()

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back by an exception."""
        async with self._write.begin() as session:
            yield session

    async def migrate(self) -> None:
        """Bring the tables up to date. Processes that start together migrate once.

        Raises DatabaseUnavailableError when the file cannot be opened or is not a database.
        """
        try:
            await asyncio.to_thread(self._upgrade)
        except (OSError, DBAPIError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error.strerror
            raise DatabaseUnavailableError(f"cannot open {self._path}: {reason}") from error

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        async with self.read() as session:
            await session.execute(text("SELECT 1 FROM account LIMIT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    def _upgrade(self) -> None:
        from alembic import command  # noqa: PLC0415  (slow to import, needed once)
        from alembic.config import Config  # noqa: PLC0415

        lock_path = self._path.parent / "migrate.lock"
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.parent.chmod(0o700)
        for path in (self._path, lock_path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("sqlalchemy.url", f"sqlite:///{self._path}")
        with lock_path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            command.upgrade(config, "head")


def _sqlite_engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # The driver must not begin transactions of its own accord: `begin` below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        # IMMEDIATE: a transaction that means to write waits for its turn at once, instead of
        # failing half-way when another one wrote after its first read.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
