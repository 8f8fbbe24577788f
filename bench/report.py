"""From measurements to tables: on the terminal, in docs/performance.md, and raw as JSON."""

import json
import re
from dataclasses import asdict, dataclass

from bench import plots
from bench.peers import ROOT
from bench.rounds import DISTURBED, Runs, Spread
from bench.tables import TABLES, table
from bench.targets import TARGETS

PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "docs" / "performance" / "results.json"
MARKERS = re.compile(r"(<!-- measured: begin -->\n).*(<!-- measured: end -->)", re.DOTALL)


@dataclass(frozen=True)
class Measurement:
    """One part as it was measured. Its `runs` are by group, then by what is compared."""

    measured_at: str
    machine: dict[str, str]
    versions: dict[str, str]
    runs: dict[str, Runs]


def as_text(measured: dict[str, Measurement]) -> str:
    """The targets and every table, in Markdown."""
    parts = {name: part.runs for name, part in measured.items()}
    sections = [f"## Targets\n\n{_targets(parts)}{_disturbed(parts)}"]
    for name, runs in parts.items():
        sections += [f"## {title}\n\n{table(rows)}" for title, rows in TABLES[name](runs)]
    return "\n\n".join(sections)


def write(measured: dict[str, Measurement]) -> None:
    """Replace the measurements of the same parts with these, and redraw the page."""
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known = {name: Measurement(**part) for name, part in stored.items()} | measured
    known = {name: known[name] for name in TABLES if name in known}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    document = {name: asdict(part) for name, part in known.items()}
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    pictures = plots.draw({name: part.runs for name, part in known.items()}, RESULTS.parent)
    images = "\n\n".join(
        f"![{title}]({path.relative_to(PAGE.parent)})" for title, path in pictures.items()
    )
    text = "\n\n".join([_circumstances(known), images, as_text(known)])
    page = PAGE.read_text()
    PAGE.write_text(MARKERS.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page))


def _targets(parts: dict[str, dict[str, Runs]]) -> str:
    rows = [["", "target", "measured (lowest to highest round)", ""]]
    for target in TARGETS:
        try:
            value: Spread | None = target.value(parts)
        except (KeyError, ValueError):
            value = None
        if value is None:
            rows.append([target.what, target.wanted, "not measured", ""])
        else:
            met = "met" if target.is_met(value) else "**not met**"
            rows.append([target.what, target.wanted, target.shown(value), met])
    return table(rows)


def _disturbed(parts: dict[str, dict[str, Runs]]) -> str:
    """A warning, where others had too much of the gateway's core during a run."""
    every = [
        f"{part}, {group}, {name}"
        for part, groups in parts.items()
        for group, runs in groups.items()
        for name, rounds in runs.items()
        if any(figures.get("foreign", 0) > DISTURBED for figures in rounds)
    ]
    return f"\n\n**Disturbed by other processes**: {'; '.join(every)}." if every else ""


def _circumstances(known: dict[str, Measurement]) -> str:
    """Where and when each part was measured; parts alike share a line."""
    together: dict[str, list[str]] = {}
    for name, part in known.items():
        machine = ", ".join(f"{k} {v}" for k, v in part.machine.items())
        versions = ", ".join(f"{k} {v}" for k, v in part.versions.items())
        line = f"on {part.measured_at[:10]}; {machine}; {versions}"
        together.setdefault(line, []).append(name.replace("_", " "))
    return "\n".join(
        f"- Measured {line}: {', '.join(names)}." if len(together) > 1 else f"Measured {line}."
        for line, names in together.items()
    )
