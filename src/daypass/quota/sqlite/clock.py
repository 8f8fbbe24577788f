"""The embedded ledger's clock: measure its lead over this machine's clock, and reset it."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from daypass.quota.ledger import LedgerUnavailableError
from daypass.quota.sqlite.transaction import RESET_CLOCK, SCHEMA

BUSY_TIMEOUT_S = 5


def lead_s(path: Path, now: float) -> float:
    """Return by how many seconds the ledger is ahead of `now` (Unix time); 0 if it is not.

    Raises LedgerUnavailableError.
    """
    with _open(path) as connection:
        (latest,) = connection.execute("SELECT latest FROM quota_clock").fetchone()
    return max(0.0, float(latest) - now)


def reset(path: Path) -> None:
    """Make the ledger follow the machine's clock again. Units taken from each window stay taken.

    Raises LedgerUnavailableError.
    """
    with _open(path) as connection:
        connection.executescript(f"BEGIN IMMEDIATE; {RESET_CLOCK} COMMIT;")


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise LedgerUnavailableError(f"there is no ledger at {path}: nothing has been counted yet")
    try:
        with contextlib.closing(
            sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        ) as connection:
            connection.executescript(SCHEMA)
            yield connection
    except sqlite3.Error as error:
        raise LedgerUnavailableError(f"cannot open {path}: {error}") from error
