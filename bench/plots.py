"""Pictures of the measurements, as SVG that is readable on light and dark pages."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.rounds import Runs, of
from bench.tables import NAMES

PAPER, INK, FAINT = "#fdfdfc", "#1f2328", "#d0d7de"
DARK = {PAPER: "#16191d", INK: "#e6edf3", FAINT: "#3d444d"}
OURS, THEIRS = "#d9622b", "#8c959f"
COLOURS = (OURS, "#3b82c4", "#3f9a6b", "#a26fd0")

Groups = dict[str, Runs]


def draw(parts: dict[str, Groups], directory: Path) -> dict[str, Path]:
    """Draw what was measured. Returns the title and the file of each picture."""
    style = {"svg.fonttype": "none", "svg.hashsalt": "bench", "font.family": "sans-serif"}
    style |= {f"{x}.color": INK for x in ("text", "xtick", "ytick")}
    style |= {"axes.labelcolor": INK, "axes.edgecolor": FAINT, "grid.color": FAINT}
    style |= {"axes.facecolor": PAPER, "figure.facecolor": PAPER, "savefig.facecolor": PAPER}
    drawn = {}
    with mpl.rc_context(style):
        for title, (part, plot) in PLOTS.items():
            if part in parts:
                name = title.lower().replace(",", "").replace(" ", "-")
                drawn[title] = directory / f"{name}.svg"
                _save(plot, title, parts[part], drawn[title])
    return drawn


def _save(plot: Callable[[Axes, Groups], None], title: str, runs: Groups, path: Path) -> None:
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, loc="left", fontsize=11)
    plot(axes, runs)
    figure.savefig(path, format="svg", metadata={"Date": None})
    path.write_text(_with_dark_colours(path.read_text()))


def _with_dark_colours(svg: str) -> str:
    """The drawing with rules for dark pages; programs that know no CSS see the light one."""
    rules = "".join(
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    head, end, rest = svg.partition("<defs>")
    return f"{head}{style}\n {end}{rest}"


def _bars(axes: Axes, runs: Runs, unit: str) -> None:
    """Peers as bars on a logarithmic scale, the cheapest at the top, with lines for the spread."""
    spreads = {name: of(found, "cpu_us") for name, found in runs.items() if name != "direct"}
    ordered = sorted(spreads.items(), key=lambda item: -item[1].median)
    labels = [NAMES[name].replace("*", "").replace("`", "") for name, _ in ordered]
    values = [spread.median for _, spread in ordered]
    low = [spread.median - spread.low for _, spread in ordered]
    high = [spread.high - spread.median for _, spread in ordered]
    colours = [OURS if name.startswith("daypass") else THEIRS for name, _ in ordered]
    axes.barh(labels, values, color=colours, height=0.62, xerr=[low, high], ecolor=INK)
    for row, (_, spread) in enumerate(ordered):
        axes.text(spread.high * 1.08, row, f"{spread.median:,.0f}", va="center", fontsize=9)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(1, max(values) * 3)
    axes.set_xlabel(f"CPU µs {unit} of the gateway's processes, logarithmic scale", fontsize=9)
    axes.tick_params(labelsize=9)


def _growth(axes: Axes, runs: Groups, kind: str, unit: str) -> None:
    colours = iter(COLOURS)
    for key, found in runs.items():
        measured, _, series = key.partition(": ")
        if measured != kind:
            continue
        points = [int(point) for point, rounds in found.items() if rounds]
        values = [of(rounds, "cpu_us").median for rounds in found.values() if rounds]
        colour = THEIRS if series == "nginx" else next(colours)
        axes.plot(points, values, marker="o", markersize=4, color=colour, label=series)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, axis="y", linewidth=0.6)
    axes.set_xlabel(kind, fontsize=9)
    axes.set_ylabel(f"CPU µs {unit}", fontsize=9)
    axes.tick_params(labelsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)


PLOTS: dict[str, tuple[str, Callable[[Axes, Groups], None]]] = {
    "CPU per request": ("unary", lambda a, r: _bars(a, r["back to back"], "a request")),
    "CPU per streamed event": (
        "streams",
        lambda a, r: _bars(a, r["fewer streams"] | r["streams"], "an event"),
    ),
    "CPU per request by keys in use": (
        "growth",
        lambda a, r: _growth(a, r, "keys in use", "a request"),
    ),
    "CPU per event by open streams": (
        "growth",
        lambda a, r: _growth(a, r, "open streams", "an event"),
    ),
}
