"""The settings file, and the lines of its settings."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

CONFIG_VARIABLE = "DAYPASS_CONFIG"


def config_path() -> Path:
    """The settings file: `DAYPASS_CONFIG`, else `daypass.toml` in the working directory."""
    return Path(os.environ.get(CONFIG_VARIABLE) or "daypass.toml")


def line_of(path: Path, location: Sequence[int | str]) -> int | None:
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
