"""Negative controls: each guard is broken on purpose, and a named test must fail for it."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "daypass"


class Mutation(NamedTuple):
    """One line of one file, broken."""

    guard: str
    file: str
    line: str
    """Without its indentation; it stands in its file once."""
    broken: str
    test: str
    """What fails for it, as pytest names it."""


def mutate(whole: str, mutation: Mutation) -> str:
    """The text of a file with its line broken. Raises ValueError unless it has it once."""
    lines = whole.splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if line.strip() == mutation.line]
    if len(places) != 1:
        raise ValueError(f"{mutation.file} has {len(places)} lines `{mutation.line}`")
    (place,) = places
    lines[place] = lines[place].replace(mutation.line, mutation.broken)
    return "".join(lines)
