"""Preparations and checks before the server starts."""

import stat
import time
from pathlib import Path

from daypass.app.enforcement import choose
from daypass.config.secret_key import secret_keys
from daypass.config.settings import Settings
from daypass.domain.times import Clock
from daypass.gateway.path_settings import check_path_settings
from daypass.records import usage_plans
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.schema import upgrade
from daypass.upstreams.proxy_environment import check_proxies


async def prepare(settings: Settings) -> None:
    """Create the data directory, the tables and the site's first plans.

    An existing directory keeps its mode, because it may be shared with other users on purpose.
    Raises DatabaseUnavailableError.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot create the directory {settings.data_dir}: {error.strerror}"
        raise DatabaseUnavailableError(message) from error
    await upgrade(settings.database_address)
    if settings.enforcer == "embedded" and not settings.plans:
        await _copy_built_in_plans(settings)


async def _copy_built_in_plans(settings: Settings) -> None:
    """Copy the built-in plans to a database that lacks them, so that operators can edit them."""
    database = Database(settings.database_address)
    try:
        async with database.read() as session:
            if await usage_plans.has_built_in(session):
                return
        async with database.write() as session:
            await usage_plans.add_built_in(session)
    finally:
        await database.close()


def sharing_warning(data_dir: Path) -> str | None:
    """Return a warning if other users of this machine can access the data directory."""
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if not mode & 0o077:
        return None
    return (
        f"other users can access {data_dir} (mode {mode:04o}). Daypass's files in it are readable "
        f"only by their owner; unless the directory is shared on purpose, run: chmod 700 {data_dir}"
    )


def check_settings(settings: Settings) -> None:
    """Check what the settings say about other parts. Raises SettingsError."""
    check_proxies(settings)
    check_path_settings(settings)


async def check_startup(settings: Settings) -> None:
    """Check that the stores are available, so that a failure can be reported in one line.

    Raises DatabaseUnavailableError, LedgerUnavailableError, EnforcerError or SettingsError.
    """
    check_settings(settings)
    await prepare(settings)
    await check_ledger(settings)
    secret_keys(settings)


async def check_ledger(settings: Settings) -> None:
    """Check the ledger. Raises LedgerUnavailableError, EnforcerError or SettingsError."""
    database = Database(settings.database_address)
    try:
        enforcement = choose(settings, database, make_clock(settings))
        if settings.enforcer == "embedded":
            await enforcement.ledger.start()
            await enforcement.ledger.close()
    finally:
        await database.close()


def make_clock(settings: Settings) -> Clock:
    """Return a clock of Unix time in seconds, shifted by `clock_offset_s` (for tests)."""
    return lambda: time.time() + settings.clock_offset_s
