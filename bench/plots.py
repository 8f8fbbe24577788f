"""Pictures of the measurements, as SVG that is readable on light and dark pages."""

from pathlib import Path

from bench.rounds import Runs


def draw(parts: dict[str, dict[str, Runs]], directory: Path) -> dict[str, Path]:
    """Draw what was measured. Returns the title and the file of each picture."""
    return {}
