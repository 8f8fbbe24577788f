"""The database connection: SQLite or PostgreSQL."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from typing import Any, Self

import aiosqlite
from sqlalchemy import ColumnElement, event, literal_column, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase

from daypass.records.write_queue import QueueStalledError, WriteQueue

ANSWER_S = 1.8
"""Seconds after which a unit of work raises DatabaseUnavailableError."""

COMMIT_S = 10.0
"""Seconds to wait for the outcome of a COMMIT that has begun."""

INSIST_AFTER_S = 0.1
POSTGRESQL_CONNECTIONS = 10

SPILLING_SORT = (
    "SELECT count(*) FROM "
    "(SELECT md5(n::text) FROM generate_series(1, 4000) n ORDER BY 1 OFFSET 0) sorted"
)


class DatabaseUnavailableError(Exception):
    """The database could not be opened or did not answer. The message is one line."""


class CommitUnknownError(DatabaseUnavailableError):
    """The database stopped answering during COMMIT, which may or may not have succeeded."""


class UnstorableError(Exception):
    """A value that the database cannot store, such as a text with a NUL in PostgreSQL."""


class Database:
    """Sessions on one database: `read` for queries, `write` for one transaction."""

    def __init__(self, url: str) -> None:
        """`url` is `sqlite:///path` or `postgresql://…`; `migrations.upgrade` makes the tables."""
        self._engine = _sqlite_engine(url) if is_sqlite(url) else _postgresql_engine(url)
        writers = 1 if is_sqlite(url) else POSTGRESQL_CONNECTIONS
        self._queue = WriteQueue(writers, ANSWER_S)
        # Outside a transaction, a read sees the newest commit and holds no lock.
        autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._read = async_sessionmaker(autocommit, expire_on_commit=False)
        self._write = async_sessionmaker(self._engine, expire_on_commit=False)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Yield a session for queries only.

        Raises DatabaseUnavailableError within 2 seconds, and UnstorableError.
        """
        async with _answering(), self._read() as session:
            yield session

    @contextlib.asynccontextmanager
    async def write(self, answer_s: float = ANSWER_S) -> AsyncIterator[AsyncSession]:
        """Yield a transaction that is committed at the end and rolled back by an exception.

        It waits for its turn first, as long as the database serves those ahead. Then it raises
        DatabaseUnavailableError if it takes longer than `answer_s` seconds or the database
        fails, or UnstorableError: nothing has changed. Once COMMIT has begun, its outcome is
        awaited for 10 seconds, after which CommitUnknownError is raised.
        """
        committing = False
        try:
            async with self._queue.turn():
                try:
                    async with _answering(answer_s) as deadline, self._write() as session:
                        try:
                            yield session
                            await session.flush()
                        except BaseException:
                            await session.rollback()
                            raise
                        committing = True
                        deadline.postpone(COMMIT_S)
                        # Not by `begin`, which waits forever if no answer comes.
                        await session.commit()
                except DatabaseUnavailableError:
                    self._queue.fail()
                    raise
        except QueueStalledError:
            raise DatabaseUnavailableError("the database does not answer") from None
        except DatabaseUnavailableError as error:
            if committing and _is_unknown(error):
                raise CommitUnknownError(str(error)) from error
            raise

    async def check_writable(self) -> None:
        """Raise DatabaseUnavailableError if nothing can be written: a standby, a full disk."""
        async with self.write() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = version_num"))
            if session.get_bind().dialect.name == "postgresql":
                # A row may fit into an existing page. A sort that spills needs new blocks.
                await session.execute(text("SET LOCAL work_mem = '64kB'"))
                await session.execute(text(SPILLING_SORT))

    async def empty_log(self) -> None:
        """Remove deleted data from SQLite's write-ahead log. PostgreSQL does so by itself.

        Concurrent readers may prevent it. Then nothing fails, and the next call does it.
        """
        if self._engine.dialect.name != "sqlite":
            return
        with contextlib.suppress(DatabaseUnavailableError):
            async with self.read() as session:
                # Other writers would wait for readers as long as this does.
                await session.execute(text("PRAGMA busy_timeout = 50"))
                try:
                    await session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                finally:
                    await session.execute(text(f"PRAGMA busy_timeout = {int(ANSWER_S * 1000)}"))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def insert_into(
    session: AsyncSession, table: type[DeclarativeBase]
) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT with ON CONFLICT in the dialect of this session's database."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def now_ms(session: AsyncSession) -> ColumnElement[int]:
    """Return the database's clock (Unix time in milliseconds), which all processes share."""
    if session.get_bind().dialect.name == "sqlite":
        return literal_column("CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)")
    return literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")


def is_sqlite(url: str) -> bool:
    """Return whether a URL names a SQLite file."""
    return make_url(url).get_backend_name() == "sqlite"


class _Deadline:
    """Cancels a unit of work that takes too long, and again if it does not end.

    psycopg takes up to 10 seconds to cancel a query at a server that does not answer, unless it
    is interrupted again; then it closes the connection.
    """

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._insisted = False
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)
        self._timer: asyncio.TimerHandle

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._timer = self._loop.call_later(self._seconds + INSIST_AFTER_S, self._insist)
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._timer.cancel()
        if self._insisted:
            self._task.uncancel()
        await self._timeout.__aexit__(*error)

    def postpone(self, seconds: float) -> None:
        """Give the rest of the work this many seconds from now."""
        self._timer.cancel()
        self._timeout.reschedule(self._loop.time() + seconds)
        self._timer = self._loop.call_later(seconds + INSIST_AFTER_S, self._insist)

    def _insist(self) -> None:
        self._insisted = self._task.cancel()


@contextlib.asynccontextmanager
async def _answering(answer_s: float = ANSWER_S) -> AsyncIterator[_Deadline]:
    try:
        async with _Deadline(answer_s) as deadline:
            yield deadline
    except IntegrityError:
        raise
    except DataError as error:
        raise UnstorableError from error
    except DBAPIError as error:
        raise DatabaseUnavailableError(f"the database failed: {reason_of(error)}") from error
    except (TimeoutError, PoolTimeoutError, OSError) as error:
        raise DatabaseUnavailableError("the database does not answer") from error


def _is_unknown(error: DatabaseUnavailableError) -> bool:
    """Return whether a COMMIT that failed this way may have succeeded, because no answer came.

    SQLite always knows the outcome of a COMMIT: there is no connection to lose.
    """
    cause = error.__cause__
    if not isinstance(cause, DBAPIError):
        return True
    return cause.connection_invalidated and not isinstance(cause.orig, sqlite3.Error)


def reason_of(error: DBAPIError) -> str:
    """Return the driver's message on one line, without the statement or its values."""
    return " ".join(str(error.orig).split())


class SqliteConnection(aiosqlite.Connection):
    """An aiosqlite connection that can be stopped more than once.

    SQLAlchemy stops a connection that does not close in time. If it closes after all, aiosqlite
    0.22 stops it again and waits for a thread that has ended, so the event loop hangs.
    """

    @classmethod
    def to(cls, database: str, **options: Any) -> "SqliteConnection":
        """Return a connection. Await it to open it."""
        connection = cls(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
        connection._thread.daemon = True  # A query that hangs must not keep the process alive.
        return connection

    def stop(self) -> "asyncio.Future[Any] | None":
        """Stop the thread after the queued operations."""
        return super().stop() if self._running else None


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        make_url(url).set(drivername="sqlite+aiosqlite"),
        connect_args={"async_creator_fn": SqliteConnection.to},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # The driver must not begin transactions by itself: `begin` below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA busy_timeout = {int(ANSWER_S * 1000)}")
        cursor.execute("PRAGMA foreign_keys = ON")
        # Deleted data must not stay readable in the file.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        # IMMEDIATE: a transaction that will write waits for its turn at once, instead of
        # failing half-way because another one wrote after its first read.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine.sync_engine, "handle_error")
    def open_anew(context: ExceptionContext) -> None:
        # A connection caches the pages it has read, even corrupt ones, until the next write.
        code = getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR):
            context.is_disconnect = True

    return engine


def _postgresql_engine(url: str) -> AsyncEngine:
    return create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        # Detect a connection that died with the server before using it.
        pool_pre_ping=True,
        pool_size=POSTGRESQL_CONNECTIONS,
        pool_timeout=ANSWER_S,
        connect_args={"connect_timeout": 2, "application_name": "daypass"},
    )
