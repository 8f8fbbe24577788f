"""The secret with which Daypass signs what it has to believe later."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from daypass.config.settings import Settings, SettingsError
from daypass.config.sign_in import MIN_SECRET_LENGTH

FILE = "secret-key"


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """`DAYPASS_SECRET_KEY`, else the secret of the data directory, made when there is none.

    The first signs, all verify: so an old one can be kept for a while behind a new one. Raises
    SettingsError for a secret that is too short to be one (New API CVE-2026-41432: an empty one
    was accepted).
    """
    path = settings.data_dir / FILE
    try:
        if not settings.secret_keys and not path.exists():
            _make(path)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    return existing_secret_keys(settings)


def existing_secret_keys(settings: Settings) -> tuple[str, ...]:
    """The same, but none where there is no secret yet. Raises SettingsError."""
    if settings.secret_keys:
        return settings.secret_keys
    path = settings.data_dir / FILE
    try:
        key = path.read_text().strip()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    if len(key) < MIN_SECRET_LENGTH:
        raise SettingsError(
            f"{path}: this is no secret of at least {MIN_SECRET_LENGTH} characters. Delete the "
            "file for a new one: links in mails that were sent before stop working"
        )
    return (key,)


def _make(path: Path) -> None:
    """Whole or not at all, and on the disk: neither a crash nor another worker sees half of it."""
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
