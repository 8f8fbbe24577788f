"""Migrates the database once, however many processes start together."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from daypass.records.database import (
    Database,
    DatabaseUnavailableError,
    reason_of,
)

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_NUMBER = 0x6461797061737300
"""PostgreSQL advisory lock that a migration holds."""

Result = TypeVar("Result")


async def upgrade(url: str, to: str = "head") -> None:
    """Migrate to the newest revision, or down to the revision `to` ("base": no tables).

    Raises DatabaseUnavailableError if the database cannot be opened, is not one, or belongs to a
    newer version of Daypass.
    """
    with _one_line(url):
        await asyncio.to_thread(_migrate, make_url(url), to)


class NoDatabaseError(DatabaseUnavailableError):
    """The database does not exist yet."""


async def check(url: str) -> None:
    """Raise DatabaseUnavailableError unless the database is up to date.

    Raises NoDatabaseError if it does not exist. Nothing is created or changed.
    """
    where = _name(make_url(url))
    found = await _existing_revision(url)
    if found != _newest():
        raise DatabaseUnavailableError(
            f"the database at {where} was written by another version of Daypass (its tables are at "
            f"{found}, this version's at {_newest()}): 'daypass migrate' brings an older one up to "
            "date"
        )


async def check_known(url: str) -> None:
    """Raise DatabaseUnavailableError if a newer version of Daypass wrote the database.

    Raises NoDatabaseError if it does not exist.
    """
    _check_known(await _existing_revision(url))


async def _existing_revision(url: str) -> str:
    with _one_line(url):
        found = await asyncio.to_thread(_read_revision, make_url(url))
    if found is None:
        where = _name(make_url(url))
        raise NoDatabaseError(
            f"there is no database at {where}: 'daypass serve' or 'daypass migrate' creates it"
        )
    return found


def with_database(url: str, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Run a coroutine on a database that is up to date. Raises DatabaseUnavailableError."""

    async def run() -> Result:
        await check(url)
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


@contextlib.contextmanager
def _one_line(url: str) -> Iterator[None]:
    """Convert errors to DatabaseUnavailableError."""
    try:
        yield
    except OSError as error:
        raise DatabaseUnavailableError(f"cannot open {error.filename}: {error.strerror}") from error
    except DBAPIError as error:
        where = _name(make_url(url))
        raise DatabaseUnavailableError(f"cannot open {where}: {reason_of(error)}") from error


def _name(url: URL) -> str:
    """Return a name for a database in errors: its file, or its URL without the password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return url.render_as_string(hide_password=True)


def _read_revision(url: URL) -> str | None:
    is_file = url.get_backend_name() == "sqlite"
    if is_file and not Path(url.database or "").is_file():
        return None
    engine = create_engine(url) if is_file else _postgresql_engine(url)
    try:
        with engine.connect() as connection:
            return _revision(connection)
    finally:
        engine.dispose()


def _migrate(url: URL, to: str) -> None:
    with _one_at_a_time(url) as connection:
        revision = _revision(connection)
        # Alembic is slow to import, and most starts need no migration.
        if to == "head" and revision == _newest():
            return
        if revision is not None:
            _check_known(revision)
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        (command.upgrade if to == "head" else command.downgrade)(config, to)
        connection.commit()


@contextlib.contextmanager
def _one_at_a_time(url: URL) -> Iterator[Connection]:
    """Yield a connection that holds the migration lock."""
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        lock_path = path.parent / "migrate.lock"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in (path, lock_path):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        with lock_path.open("w") as lock, create_engine(url).connect() as connection:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield connection
        return
    engine = _postgresql_engine(url)
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


def _postgresql_engine(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"), connect_args={"connect_timeout": 5}
    )


def _revision(connection: Connection) -> str | None:
    """Return the current revision of the tables, or None if there are none."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    connection.rollback()
    return revision


def _check_known(revision: str) -> None:
    if not any(_migrations(revision)):
        raise DatabaseUnavailableError(
            f"the database is at revision {revision}, which this version of Daypass does not "
            f"know (its newest is {_newest()}): install the version that wrote it, or a newer one"
        )


def _newest() -> str:
    """Return the newest revision. The names of migrations begin with their number."""
    return max(path.name for path in _migrations("")).partition("_")[0]


def _migrations(revision: str) -> list[Path]:
    """Return the files of migrations whose number starts with a prefix."""
    versions = (MIGRATIONS / "versions").glob("0*.py")
    return [path for path in versions if path.name.startswith(revision)]
