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

    Raises DatabaseUnavailableError when the database cannot be opened, is not one, or belongs to a
    newer version of Daypass.
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
        revision = _revision(connection)
        # Alembic is slow to import, and at most starts there is nothing to do.
        if to == "head" and revision == _newest():
            return
        if revision is not None and not any(_migrations(revision)):
            raise DatabaseUnavailableError(
                f"the database is at revision {revision}, which this version of Daypass does not "
                f"know (its newest is {_newest()}): install the version that wrote it, or a newer "
                "one"
            )
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
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
    return max(path.name for path in _migrations("")).partition("_")[0]


def _migrations(revision: str) -> list[Path]:
    """The files of the migrations whose number begins so."""
    versions = (MIGRATIONS / "versions").glob("0*.py")
    return [path for path in versions if path.name.startswith(revision)]
