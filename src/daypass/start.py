"""What a start needs before anything is served."""

import time
from collections.abc import Callable

from daypass.enforcement import choose
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.schema import upgrade
from daypass.secret_key import secret_keys
from daypass.settings import Settings


async def prepare(settings: Settings) -> None:
    """Make the data directory and the tables. Raises DatabaseUnavailableError."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.data_dir.chmod(0o700)
    except OSError as error:
        message = f"cannot make the directory {settings.data_dir}: {error.strerror}"
        raise DatabaseUnavailableError(message) from error
    await upgrade(settings.database_address)


async def rehearse(settings: Settings) -> None:
    """See whether a start would find its stores, so that what fails can be told in one line.

    Raises DatabaseUnavailableError, LedgerUnavailableError, EnforcerError or SettingsError.
    """
    await prepare(settings)
    database = Database(settings.database_address)
    try:
        enforcement = choose(settings, database, make_clock(settings))
        if settings.enforcer == "embedded":
            await enforcement.ledger.start()
            await enforcement.ledger.close()
    finally:
        await database.close()
    secret_keys(settings)


def make_clock(settings: Settings) -> Callable[[], float]:
    """Unix time in seconds; tests may shift it."""
    return lambda: time.time() + settings.clock_offset_s
