"""The settings file, and the location of each setting in it or in the environment."""

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
    """A setting is unknown or invalid. The message is one line and says what to do."""


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
    """Raise SettingsError if the settings file is missing although configured, or not a file."""
    path = config_path()
    try:
        is_file, exists = path.is_file(), path.exists()
    except OSError as error:  # The name is too long, or a directory is inaccessible.
        raise SettingsError(f"{path}: {error.strerror}") from None
    if os.environ.get(CONFIG_VARIABLE) and not is_file:
        raise SettingsError(f"{CONFIG_VARIABLE}: there is no file at {path}")
    if exists and not is_file:
        raise SettingsError(f"{path}: not a file")


def config_path() -> Path:
    """Return the path of the settings file: `DAYPASS_CONFIG`, else `./daypass.toml`."""
    return Path(os.environ.get(CONFIG_VARIABLE) or "daypass.toml")


def setting_location(location: Sequence[int | str]) -> str:
    """Return an error prefix for a setting: its variable, or its name with file and line."""
    if not location:
        return ""
    variable = ENV_PREFIX + str(location[0]).upper()
    if variable in os.environ:
        return f"{variable}: "
    name = ".".join(map(str, location))
    line = _line_of(config_path(), location)
    return f"{name}: " if line is None else f"{config_path()} line {line}: {name}: "


def setting_place(name: str) -> str:
    """Return where a setting is set: its variable, or `daypass.toml line 12`."""
    variable = ENV_PREFIX + name.upper()
    # Names of variables are not case-sensitive. Empty variables are ignored.
    if any(value and x.upper() == variable for x, value in os.environ.items()):
        return variable
    line = _line_of(config_path(), [name])
    return str(config_path()) if line is None else f"{config_path()} line {line}"


def table_place(name: str, number: int) -> str:
    """Return where one of several tables, such as `[[upstreams]]`, is: `daypass.toml line 12`."""
    line = _line_of(config_path(), (name, number))
    return str(config_path()) if line is None else f"{config_path()} line {line}"


def _line_of(path: Path, location: Sequence[int | str]) -> int | None:
    """Return the line number of a setting, such as `("plans", 1, "name")`.

    If the setting is missing, return the line of its table. Return None if it is not in the file,
    or in a form that this search does not support, such as an inline table.
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
    """Return a pattern for a bare or quoted key in the given form."""
    return re.compile(r"\s*" + form.format(rf"[\"']?{re.escape(key)}[\"']?"))
