"""Bringing the tables up to date, once, however many processes start together."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from daypass.records.database import (
    Database,
    DatabaseUnavailableError,
    is_sqlite,
    reason_of,
)

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_NUMBER = 0x6461797061737300
"""PostgreSQL advisory lock that a migration holds."""

Result = TypeVar("Result")


async def upgrade(url: str, to: str = "head") -> None:
    """Bring the tables up to date, or down to the revision `to` ("base": none).

    Raises DatabaseUnavailableError when the database cannot be opened or is not one.
    """
    try:
        await asyncio.to_thread(_migrate, make_url(url), to)
    except OSError as error:
        raise DatabaseUnavailableError(f"cannot open {error.filename}: {error.strerror}") from error
    except DBAPIError as error:
        name = make_url(url).render_as_string(hide_password=True)
        where = make_url(url).database if is_sqlite(url) else name
        raise DatabaseUnavailableError(f"cannot open {where}: {reason_of(error)}") from error


def with_database(url: str, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Run a command's work on a database that is up to date. Raises DatabaseUnavailableError."""

    async def run() -> Result:
        await upgrade(url)
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _migrate(url: URL, to: str) -> None:
    with _one_at_a_time(url) as connection:
        # Alembic is slow to import, and at most starts there is nothing to do.
        if to == "head" and _revision(connection) == _newest():
            return
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        (command.upgrade if to == "head" else command.downgrade)(config, to)
        connection.commit()


@contextlib.contextmanager
def _one_at_a_time(url: URL) -> Iterator[Connection]:
    """A connection that no other process migrates beside."""
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        lock_path = path.parent / "migrate.lock"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        for file in (path, lock_path):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        with lock_path.open("w") as lock, create_engine(url).connect() as connection:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield connection
        return
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"), connect_args={"connect_timeout": 5}
    )
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK_NUMBER})
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": LOCK_NUMBER})
            connection.commit()
    engine.dispose()


def _revision(connection: Connection) -> str | None:
    """The revision that the tables are at; None where there are none yet."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    connection.rollback()
    return revision


def _newest() -> str:
    """The newest revision: migrations are numbered, and their names begin with the number."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("0*.py")).partition("_")[0]
