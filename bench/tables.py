"""Each part's figures as tables: rows of cells, the first row being the head."""

from collections.abc import Callable, Sequence

from bench.rounds import Runs, differences, of, ratios

Rows = list[list[str]]
Titled = tuple[str, Rows]

NAMES = {
    "direct": "no gateway",
    "nginx": "nginx `proxy_pass`",
    "naive": "FastAPI + httpx",
    "litellm": "LiteLLM",
    "portkey": "Portkey",
    "daypass": "**Daypass**, SQLite",
    "daypass-redis": "**Daypass**, Redis",
}


def table(rows: Rows) -> str:
    """Return an aligned Markdown table."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    # Names to the left, figures to the right.
    lines = [
        [row[0].ljust(widths[0]), *(x.rjust(w) for x, w in zip(row[1:], widths[1:], strict=True))]
        for row in rows
    ]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [lines[0], rule, *lines[1:]])


def _unary(runs: dict[str, Runs]) -> list[Titled]:
    busy, paused = runs["back to back"], runs["paused"]
    reach = ["requests/s", "core in use", "added p50 ms", "added p99 ms"]
    cost = [["", "CPU µs a request", "spread", "× nginx", "store's CPU µs", *reach]]
    latency = [["", *reach]]
    for name in busy:
        cost.append([NAMES[name], *_cost(busy, name), *_store(busy, name), *_reach(busy, name)])
        latency.append([NAMES[name], *_reach(paused, name)])
    return [
        ("Unary requests, 32 connections, back to back", cost),
        ("Unary requests, 32 connections, 16 ms between requests", latency),
    ]


def _streams(runs: dict[str, Runs]) -> list[Titled]:
    return [
        ("300 streams, an event each 30 ms", _stream_rows(runs["streams"])),
        ("20 streams, an event each 30 ms", _stream_rows(runs["fewer streams"], first=False)),
    ]


def _crowd(runs: dict[str, Runs]) -> list[Titled]:
    return [("5,000 streams, an event each 500 ms", _stream_rows(runs["crowd"]))]


def _stream_rows(runs: Runs, *, first: bool = True) -> Rows:
    """Report memory only where these streams ran first: later ones reuse it."""
    cost = ["CPU µs an event", "spread", "× nginx", "events/s", "core in use"]
    cadence = ["added first event p50 ms", "p99 ms", "largest gap, paces", "gap p99, paces"]
    rows = [["", *cost, *cadence, "KiB a stream", "late"]]
    for name in runs:
        rows.append(
            [
                NAMES[name],
                *_cost(runs, name),
                f"{of(runs[name], 'events_per_s').median:,.0f}",
                f"{of(runs[name], 'busy').median:.0%}",
                *_added(runs, name, "first_event_p50_us"),
                *_added(runs, name, "first_event_p99_us"),
                f"{of(runs[name], 'largest_gap_paces').median:.2f}",
                f"{of(runs[name], 'gap_p99_paces').median:.2f}",
                f"{runs[name][0]['memory_kib']:.0f}" if first else "",
                f"{of(runs[name], 'late').high:.0f}",
            ]
        )
    return rows


def _keys(runs: dict[str, Runs]) -> list[Titled]:
    rows = [["keys in the database", "keys in use", "CPU µs a request", "spread", "requests/s"]]
    for group, in_use in (("remembered", "32"), ("looked up", "5,000")):
        for keys, found in runs[group].items():
            rate = f"{of(found, 'requests_per_s').median:,.0f}"
            rows.append([f"{int(keys):,}", in_use, *_figure(found), rate])
    return [("A million keys", rows)]


def _cold_start(runs: dict[str, Runs]) -> list[Titled]:
    found = runs["cold start"]["daypass"]
    took, cpu = of(found, "seconds"), of(found, "cpu_s")
    spread = f"{took.low:.2f} to {took.high:.2f}"
    cells = ["`daypass serve` to ready", f"{took.median:.2f}", spread, f"{cpu.median:.2f}"]
    rows = [["", "seconds", "spread", "CPU seconds"], cells]
    return [(f"Cold start, {len(found)} times", rows)]


def _growth(runs: dict[str, Runs]) -> list[Titled]:
    titles = (
        ("keys in use", "CPU µs a request by keys in use"),
        ("open streams", "CPU µs an event by open streams"),
    )
    return [(title, _growth_rows(runs, kind)) for kind, title in titles]


def _growth_rows(runs: dict[str, Runs], kind: str) -> Rows:
    series = {k.partition(": ")[2]: found for k, found in runs.items() if k.startswith(kind)}
    points = list(next(iter(series.values())))
    rows = [[kind, *(f"{int(point):,}" for point in points)]]
    for name, found in series.items():
        cells = (f"{of(x, 'cpu_us').median:.1f}" if (x := found[p]) else "failed" for p in points)
        rows.append([name, *cells])
    return rows


def _figure(found: Sequence[dict[str, float]], figure: str = "cpu_us") -> list[str]:
    spread = of(found, figure)
    return [_short(spread.median), f"{_short(spread.low)} to {_short(spread.high)}"]


def _cost(runs: Runs, name: str) -> list[str]:
    if name == "direct":
        return ["", "", ""]
    times = f"{ratios(runs, name, 'nginx', 'cpu_us').median:.2f}" if "nginx" in runs else ""
    return [*_figure(runs[name]), times]


def _store(runs: Runs, name: str) -> list[str]:
    store = of(runs[name], "store_cpu_us").median
    return [_short(store) if store else ""]


def _reach(runs: Runs, name: str) -> list[str]:
    return [
        f"{of(runs[name], 'requests_per_s').median:,.0f}",
        f"{of(runs[name], 'busy').median:.0%}",
        *_added(runs, name, "p50_us"),
        *_added(runs, name, "p99_us"),
    ]


def _added(runs: Runs, name: str, figure: str) -> list[str]:
    """Milliseconds more than without a gateway; for direct, all of them."""
    if name == "direct" or "direct" not in runs:
        return [f"({of(runs[name], figure).median / 1000:.2f})"]
    return [f"{differences(runs, name, 'direct', figure, 1e-3).median:.2f}"]


def _short(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


TABLES: dict[str, Callable[[dict[str, Runs]], list[Titled]]] = {
    "unary": _unary,
    "streams": _streams,
    "crowd": _crowd,
    "keys": _keys,
    "cold_start": _cold_start,
    "growth": _growth,
}
