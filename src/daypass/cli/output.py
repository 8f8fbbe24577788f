"""Output of the command: tables for people, JSON for programs, and one-line errors."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, NoReturn

import typer

from daypass.domain.plans import Limit
from daypass.domain.times import iso_utc

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_rows(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo("none")
        return
    table = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def print_json(document: object) -> None:
    """Print a document as JSON."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=_as_data))


def fail(message: str, code: int = 2) -> NoReturn:
    """Print one line and exit with code 2. Line breaks within names and values are escaped."""
    typer.echo(f"daypass: {_printable(message)}", err=True)
    sys.exit(code)


def iso(at: int | None) -> str | None:
    """Format a Unix time in seconds as ISO 8601 in UTC."""
    return None if at is None else iso_utc(at)


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return _printable(", ".join(map(str, value))) or "-"
    return "-" if value is None else _printable(str(value))


def _printable(text: str) -> str:
    """Escape what could control a terminal: people choose names of keys and models."""
    return "".join(x if x.isprintable() else ascii(x)[1:-1] for x in text)


def _as_data(value: object) -> object:
    """Return a limit as JSON: `{measure, amount, window}`."""
    if isinstance(value, Limit):
        return {name: x for name, x in asdict(value).items() if x is not None}
    raise TypeError(f"{type(value).__name__} cannot be printed as JSON")
