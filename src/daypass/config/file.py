"""The settings file, and where in it or in the environment a setting is."""

import codecs
import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic_settings import TomlConfigSettingsSource

ENV_PREFIX = "DAYPASS_"
CONFIG_VARIABLE = "DAYPASS_CONFIG"


_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class SettingsError(Exception):
    """A setting is unknown or wrong. The message is one line and says what to do."""


class SettingsFile(TomlConfigSettingsSource):
    """The settings file as a source of settings."""

    def _read_file(self, path: Any) -> dict[str, Any]:
        try:
            content: bytes = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{path}: {error.strerror}") from None
        try:
            if content.startswith(_MARKS):
                raise SettingsError(f"{path}: save it as UTF-8 without a byte order mark")
            return tomllib.loads(content.decode())
        except UnicodeDecodeError:
            raise SettingsError(f"{path}: save it as UTF-8") from None
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            reason = str(error).partition("\n")[0]
            raise SettingsError(f"{path}: {reason}") from None


def check_config_path() -> None:
    """Raise SettingsError where the settings file that is named, or found, is no file."""
    path = config_path()
    try:
        is_file, exists = path.is_file(), path.exists()
    except OSError as error:  # A name that is too long, or a directory that others cannot enter.
        raise SettingsError(f"{path}: {error.strerror}") from None
    if os.environ.get(CONFIG_VARIABLE) and not is_file:
        raise SettingsError(f"{CONFIG_VARIABLE}: there is no file at {path}")
    if exists and not is_file:
        raise SettingsError(f"{path}: it is not a file")


def config_path() -> Path:
    """The settings file: `DAYPASS_CONFIG`, else `daypass.toml` in the working directory."""
    return Path(os.environ.get(CONFIG_VARIABLE) or "daypass.toml")


def setting_location(location: Sequence[int | str]) -> str:
    """Where a wrong setting is, to begin an error: its variable, or its name with file and line."""
    if not location:
        return ""
    variable = ENV_PREFIX + str(location[0]).upper()
    if variable in os.environ:
        return f"{variable}: "
    name = ".".join(map(str, location))
    line = _line_of(config_path(), location)
    return f"{name}: " if line is None else f"{config_path()} line {line}: {name}: "


def _line_of(path: Path, location: Sequence[int | str]) -> int | None:
    """The number of the line with a setting, such as `("plans", 1, "name")`.

    That of its table where the setting itself is missing. None: it is not in the file, or written
    in a way that this does not follow, such as an inline table.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    top, *rest = map(str, location)
    tables = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    table = _pattern(r"\[\[?\s*{}\s*\]", top)
    mine = [number for number in tables if table.match(lines[number])]
    if not mine:
        first_table = tables[0] if tables else len(lines)
        return _find(lines, top, range(first_table))
    place = int(rest[0]) if rest and rest[0].isdigit() else 0
    if place >= len(mine):
        return None
    start = mine[place]
    end = next((number for number in tables if number > start), len(lines))
    key = rest[1] if len(rest) > 1 else ""
    return _find(lines, key, range(start + 1, end)) or start + 1


def _find(lines: Sequence[str], key: str, numbers: range) -> int | None:
    assignment = _pattern(r"{}\s*=", key)
    return next((number + 1 for number in numbers if assignment.match(lines[number])), None)


def _pattern(form: str, key: str) -> re.Pattern[str]:
    """A pattern for a key, bare or in quotes, in the given form."""
    return re.compile(r"\s*" + form.format(rf"[\"']?{re.escape(key)}[\"']?"))
