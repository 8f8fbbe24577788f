"""`daypass init`: a commented settings file to start from."""

import os
from pathlib import Path

import typer

from daypass.cli.output import AsJson, fail, print_json
from daypass.config.file import config_path

TEMPLATE = Path(__file__).with_name("daypass.toml")
"""Lines that begin with `#` and no space are settings. All of them are valid together."""


def init(as_json: AsJson = False) -> None:
    """Write a commented `daypass.toml` to the current directory, or to DAYPASS_CONFIG."""
    path = config_path()
    _create(path, TEMPLATE.read_bytes())
    if as_json:
        print_json({"path": str(path)})
    else:
        typer.echo(f"Wrote {path}. Edit it, then run 'daypass doctor' and 'daypass serve'.")


def _create(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read. An existing file or link stays as it is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        fail(f"{path} exists already: edit it, or move it away first")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except BaseException:
        path.unlink()
        raise
