"""The secret key that signs Daypass's links and tokens."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from daypass.config.settings import Settings, SettingsError
from daypass.config.sign_in import MIN_SECRET_LENGTH

FILE = "secret-key"


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """Return `DAYPASS_SECRET_KEY`, else the data directory's secret, created if missing.

    The first key signs, and all keys verify, so that an old key stays valid during rotation.
    Raises SettingsError if a key is too short (New API CVE-2026-41432: an empty one was accepted).
    """
    path = settings.data_dir / FILE
    try:
        if not settings.secret_keys and not path.exists():
            _make(path)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    return existing_secret_keys(settings)


def existing_secret_keys(settings: Settings) -> tuple[str, ...]:
    """Return the secret keys without creating one. Raises SettingsError if a key is invalid."""
    if settings.secret_keys:
        return settings.secret_keys
    path = settings.data_dir / FILE
    try:
        # Two while 'daypass restore' replaces the database: both work with either.
        keys = tuple(path.read_text().strip().split(","))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    if min(map(len, keys)) < MIN_SECRET_LENGTH:
        raise SettingsError(
            f"{path}: the secret must have at least {MIN_SECRET_LENGTH} characters. Delete the "
            "file to create a new one; links in earlier e-mails will stop working"
        )
    return keys


def _make(path: Path) -> None:
    """Create the secret's file atomically and durably, even with other workers or a crash."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:  # 0600
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(file.name)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
