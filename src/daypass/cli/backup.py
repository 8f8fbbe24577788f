"""`daypass backup` and `daypass restore`: the embedded database and the secret key in one file."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer

from daypass.cli.output import AsJson, fail, print_json
from daypass.config import secret_key
from daypass.config.settings import Settings, load_settings
from daypass.records.schema import NoDatabaseError, check_known

STAGING = ".restore"
SIDE_FILES = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database, and would apply to another one."""

EXTERNAL = (
    "this site's database is PostgreSQL or its counts are in Redis: use pg_dump and pg_restore; "
    "counts in Redis need no copy, since they are rebuilt from the usage records"
)

Archive = Annotated[Path, typer.Argument(help="The backup file.")]


def backup(file: Archive, as_json: AsJson = False) -> None:
    """Copy the database, counts included, and the secret key to a new file.

    The server may be running. FILE is a tar archive that only its owner can read.
    """
    settings = _embedded_settings()
    asyncio.run(check_known(settings.database_address))
    try:
        target = _create(file)
    except FileExistsError:
        fail(f"{file} exists already: choose another name")
    try:
        with target:
            _write_archive(settings, target, file.parent)
            target.flush()
            os.fsync(target.fileno())
        _sync(file.parent)
    except BaseException as error:
        file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            fail(f"cannot write {file}: {error.strerror}")
        raise
    if as_json:
        print_json({"path": str(file), "bytes": file.stat().st_size})
    else:
        typer.echo(f"Wrote {file}. Keep it as safe as the data directory: it holds its secret key.")


def restore(
    file: Archive,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the present database, which is kept beside.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into the data directory. No server may use it."""
    settings = _embedded_settings()
    directory = settings.data_dir
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _no_server(directory), _staging(directory) as staging:
        _unpack(file, staging)
        asyncio.run(_check_database(file, staging / settings.ledger_path.name))
        kept = _put_in_place(staging, settings, replace)
    if as_json:
        print_json({"data_dir": str(directory), "kept": kept and str(kept)})
        return
    typer.echo(f"Restored {file} into {directory}.")
    if kept is not None:
        typer.echo(f"The previous database is kept as {kept}.")


def _embedded_settings() -> Settings:
    settings = load_settings()
    if settings.database_url is not None or settings.redis_url is not None:
        fail(EXTERNAL)
    return settings


def _write_archive(settings: Settings, target: BinaryIO, directory: Path) -> None:
    """Write the secret key first, so that an archive with a whole database is complete."""
    with (
        tempfile.TemporaryDirectory(prefix=".daypass-", dir=directory) as temporary,  # 0700
        tarfile.open(fileobj=target, mode="w") as archive,
    ):
        copy = Path(temporary) / settings.ledger_path.name
        try:
            with contextlib.closing(sqlite3.connect(settings.ledger_path)) as connection:
                # One read transaction, which does not hold up the server's writes. The backup API
                # would begin again after each of them.
                connection.execute("VACUUM INTO ?", (str(copy),))
        except sqlite3.Error as error:
            fail(f"cannot copy {settings.ledger_path}: {error}")
        secret = settings.data_dir / secret_key.FILE
        for path in (secret, copy) if secret.exists() else (copy,):
            archive.add(path, path.name, filter=_private)


def _private(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who owns a file here."""
    member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
    return member


@contextlib.contextmanager
def _no_server(directory: Path) -> Iterator[None]:
    """Keep servers from using a directory, by the lock that `serve` takes."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    with os.fdopen(os.open(directory / "serve.lock", flags, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(f"a server uses {directory}: stop it first, or set DAYPASS_DATA_DIR")
        yield


@contextlib.contextmanager
def _staging(directory: Path) -> Iterator[Path]:
    """Yield an empty directory in the data directory, from which a rename is atomic."""
    staging = directory / STAGING
    if staging.is_symlink():
        staging.unlink()
    elif staging.exists():  # From a restore that was killed.
        shutil.rmtree(staging)
    staging.mkdir(mode=0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging)


def _unpack(file: Path, staging: Path) -> None:
    """Copy the two files that a backup may hold. Names and types of others are refused."""
    expected = {"daypass.db", secret_key.FILE}
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if content is None or member.name not in expected:
                    _not_a_backup(file)
                expected.remove(member.name)
                with _create(staging / member.name) as copy:
                    shutil.copyfileobj(content, copy)
                    copy.flush()
                    os.fsync(copy.fileno())
    except (tarfile.TarError, EOFError, UnicodeDecodeError, ValueError):
        _not_a_backup(file)
    except OSError as error:
        fail(f"cannot copy {file}: {error.strerror}")
    if "daypass.db" in expected:
        _not_a_backup(file)


def _create(path: Path) -> BinaryIO:
    """Create a file that only its owner can read. Raises FileExistsError, also for a link."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _not_a_backup(file: Path) -> NoReturn:
    fail(f"{file} is not a whole backup by 'daypass backup'. Nothing has changed")


async def _check_database(file: Path, copy: Path) -> None:
    """Raise DatabaseUnavailableError for a newer version's tables. A faulty file is one line."""
    try:
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        reason = " ".join(str(found).split())
        fail(f"the database in {file} is damaged ({reason}). Nothing has changed")
    try:
        await check_known(f"sqlite:///{copy}")
    except NoDatabaseError:
        _not_a_backup(file)


def _put_in_place(staging: Path, settings: Settings, replace: bool) -> Path | None:
    """Move the staged files into the data directory; return where the old database is kept.

    If the secret key changes, both keys are valid until the database has been replaced: at any
    moment, the directory works with the old database or with the new one.
    """
    database, secret = settings.ledger_path, settings.data_dir / secret_key.FILE
    old_secret, new_secret = _read(secret), _read(staging / secret_key.FILE)
    changes_secret = bool(new_secret) and old_secret != new_secret
    has_database = os.path.lexists(database)
    if not replace and (has_database or (changes_secret and old_secret)):
        fail(
            f"{settings.data_dir} has a database or another secret key already: use --replace to "
            "keep it beside, or set DAYPASS_DATA_DIR"
        )
    suffix = f".before-restore-{time.time_ns()}"
    kept = _keep(database, suffix) if has_database else None
    _move_side_files(database, database.with_name(database.name + suffix))
    if changes_secret and old_secret:
        os.link(secret, secret.with_name(secret.name + suffix), follow_symlinks=False)
        _write_secret(staging / "both-keys", f"{old_secret},{new_secret}")
        (staging / "both-keys").replace(secret)
    elif changes_secret:
        (staging / secret_key.FILE).replace(secret)
    _sync(settings.data_dir)
    (staging / database.name).replace(database)
    _sync(settings.data_dir)
    if changes_secret and old_secret:
        (staging / secret_key.FILE).replace(secret)
        _sync(settings.data_dir)
    return kept


def _keep(database: Path, suffix: str) -> Path:
    """Give the present database a second name, with all that is in its write-ahead log."""
    if database.is_symlink():
        fail(f"{database} is a symbolic link: move it away first")
    # A damaged database may be the reason to restore. Then its log is kept as it is.
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(database)) as connection,
    ):
        connection.execute("PRAGMA journal_mode = DELETE")
    kept = database.with_name(database.name + suffix)
    os.link(database, kept)
    return kept


def _move_side_files(database: Path, kept: Path) -> None:
    """Move away what SQLite would apply to the restored database."""
    for suffix in SIDE_FILES:
        with contextlib.suppress(FileNotFoundError):
            database.with_name(database.name + suffix).rename(kept.with_name(kept.name + suffix))


def _write_secret(path: Path, text: str) -> None:
    with _create(path) as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _sync(directory: Path) -> None:
    """Make renames in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
