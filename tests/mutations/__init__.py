"""Negative controls: break each guard on purpose; a named test must then fail."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "daypass"


class Mutation(NamedTuple):
    """A change to one line of one file."""

    guard: str
    file: str
    line: str
    """Without indentation. It must occur once in the file."""
    broken: str
    test: str
    """The test that must fail, as a pytest node id."""


def mutate(whole: str, mutation: Mutation) -> str:
    """Return the file's text with the line replaced.

    Raises ValueError unless the line occurs exactly once.
    """
    lines = whole.splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if line.strip() == mutation.line]
    if len(places) != 1:
        raise ValueError(f"{mutation.file} has {len(places)} lines `{mutation.line}`")
    (place,) = places
    lines[place] = lines[place].replace(mutation.line, mutation.broken)
    return "".join(lines)
