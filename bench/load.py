"""One measurement of one peer: unary requests by wrk, or event streams by our own client."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.support.programs import program

from bench import machine
from bench.machine import GATEWAY_CORES
from bench.peers import ROOT, Peer
from bench.process import BenchError
from bench.streams import Order
from bench.upstream import completion_body

Figures = dict[str, float]
"""What one run showed: a name with its unit, and the value."""

CONNECTIONS = 32
WARM_UP_S = 2
OPENED_PER_S = 400
SCRIPT = Path(__file__).with_name("wrk.lua")


def unary(peer: Peer, seconds: int, *, pause_ms: int = 0) -> Figures:
    """Send sequential requests with a pause between them on each of 32 connections.

    Raises BenchError when an answer was not a success.
    """
    with peer.awake(), tempfile.TemporaryDirectory() as directory:
        body, keys = Path(directory, "body"), Path(directory, "keys")
        body.write_bytes(completion_body())
        sets = ("\t".join(f"{k}: {v}" for k, v in headers.items()) for headers in peer.headers)
        keys.write_text("\n".join(sets) + "\n")
        arguments = [peer.url, "--", str(body), str(keys), str(pause_ms)]
        _wrk(WARM_UP_S, arguments)
        watch = _Watch(peer)
        found = _wrk(seconds, arguments)
        watch.stop()
    requests = found["requests"]
    return {
        "requests_per_s": requests / (found["duration_us"] / 1e6),
        "p50_us": found["p50_us"],
        "p99_us": found["p99_us"],
        "cpu_us": watch.gateway_s / requests * 1e6,
        "store_cpu_us": watch.store_s / requests * 1e6,
        "busy": watch.gateway_s / watch.wall_s,
        "foreign": watch.foreign,
    }


def _wrk(seconds: int, arguments: list[str]) -> dict[str, Any]:
    command = [program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    command += ["--timeout", "30s", "-s", str(SCRIPT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last_line = done.stdout.strip().rpartition("\n")[2]
    if not last_line.startswith("{"):
        raise BenchError(f"wrk failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    found: dict[str, Any] = json.loads(last_line)
    errors = {name: found[name] for name in ("connect", "read", "write", "status", "timeout")}
    if any(errors.values()) or not found["requests"]:
        raise BenchError(f"of {found['requests']} answers some were no success: {errors}")
    return found


def streams(
    peer: Peer,
    count: int,
    *,
    pace_s: float = 0.03,
    window_s: float = 4,
    may_lag: bool = False,
) -> Figures:
    """Open concurrent streams that send an event every `pace_s` seconds.

    Raises BenchError when a stream fails, or ends late where that is not allowed.
    """
    order = Order(
        host="127.0.0.1",
        port=peer.port,
        headers=peer.headers,
        streams=count,
        pace_s=pace_s,
        ramp_s=max(1.0, count / OPENED_PER_S),
        window_s=window_s,
        exact=peer.exact,
    )
    with peer.awake():
        memory = _memory_kib(peer)
        watch = None
        for line in _client(order):
            match line["at"]:
                case "open":
                    memory = _memory_kib(peer) - memory
                case "start":
                    watch = _Watch(peer)
                case "end" if watch is not None:
                    watch.stop()
                case "result":
                    result = line
    if watch is None or result["errors"] or not result["events"]:
        raise BenchError(f"the streams had errors: {result['errors']} {result['sample']}")
    if not may_lag and (result["still_open"] < count or result["finished"] < count):
        raise BenchError(f"{peer.url} did not keep the pace of {count} streams: {result}")
    return {
        "events_per_s": result["events"] / result["window_s"],
        "cpu_us": watch.gateway_s / result["events"] * 1e6,
        "store_cpu_us": watch.store_s / result["events"] * 1e6,
        "busy": watch.gateway_s / watch.wall_s,
        "foreign": watch.foreign,
        "first_event_p50_us": result["first_event_p50_s"] * 1e6,
        "first_event_p99_us": result["first_event_p99_s"] * 1e6,
        "largest_gap_paces": result["largest_gap_s"] / pace_s,
        "gap_p99_paces": result["gap_p99_s"] / pace_s,
        "memory_kib": memory / count,
        "late": count - result["finished"],
    }


def _client(order: Order) -> Iterator[dict[str, Any]]:
    """Run the client in its own process and yield its output lines."""
    command = [sys.executable, "-m", "bench.streams"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(order)))
        process.stdin.close()
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise BenchError("the stream client failed")


def _memory_kib(peer: Peer) -> int:
    return peer.process.memory_kib() if peer.process else 0


class _Watch:
    """CPU and wall time, in seconds, from now to `stop`."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._began = self._now()

    def stop(self) -> None:
        now = zip(self._now(), self._began, strict=True)
        self.gateway_s, self.store_s, core_s, self.wall_s = (end - begin for end, begin in now)
        self.foreign = max(0.0, core_s - self.gateway_s) / self.wall_s
        """Share of the gateway's core that went to processes other than the gateway."""

    def _now(self) -> tuple[float, float, float, float]:
        gateway, store = self._peer.process, self._peer.store
        return (
            gateway.cpu_s() if gateway else 0.0,
            store.cpu_s() if store else 0.0,
            machine.busy_s(GATEWAY_CORES),
            time.monotonic(),
        )
