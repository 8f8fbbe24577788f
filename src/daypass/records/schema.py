"""Bringing the tables up to date, once, however many processes start together."""

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
    """Bring the tables up to date, or down to the revision `to` ("base": none).

    Raises DatabaseUnavailableError when the database cannot be opened, is not one, or belongs to a
    newer version of Daypass.
    """
    with _one_line(url):
        await asyncio.to_thread(_migrate, make_url(url), to)


class NoDatabaseError(DatabaseUnavailableError):
    """There is no database yet."""


async def check(url: str) -> None:
    """Raise DatabaseUnavailableError unless the tables are there and up to date.

    NoDatabaseError: there are none yet. Nothing is created or changed.
    """
    where = _name(make_url(url))
    missing = f"there is no database at {where}: 'daypass serve' or 'daypass migrate' creates it"
    with _one_line(url):
        found = await asyncio.to_thread(_read_revision, make_url(url))
    if found is None:
        raise NoDatabaseError(missing)
    if found != _newest():
        raise DatabaseUnavailableError(
            f"the database at {where} was written by another version of Daypass (its tables are at "
            f"{found}, this version's at {_newest()}): 'daypass migrate' brings an older one up to "
            "date"
        )


def with_database(
    url: str, work: Callable[[Database], Awaitable[Result]], *, create: bool = False
) -> Result:
    """Run a command's work on a database that is up to date.

    Only with `create` are the tables created or brought up to date. Raises
    DatabaseUnavailableError.
    """

    async def run() -> Result:
        await (upgrade(url) if create else check(url))
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


@contextlib.contextmanager
def _one_line(url: str) -> Iterator[None]:
    """Raise what fails as DatabaseUnavailableError."""
    try:
        yield
    except OSError as error:
        raise DatabaseUnavailableError(f"cannot open {error.filename}: {error.strerror}") from error
    except DBAPIError as error:
        where = _name(make_url(url))
        raise DatabaseUnavailableError(f"cannot open {where}: {reason_of(error)}") from error


def _name(url: URL) -> str:
    """What an error calls a database: the file, or the address without its password."""
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
