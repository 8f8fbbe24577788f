"""Where the CPU time of Daypass goes under load: `make bench-profile`.

py-spy samples the process while it serves; printed is each function's own time, as a share of
all and in microseconds a request or an event.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench import load, machine
from bench.peers import Peer, Stage, daypass
from bench.rounds import say

SECONDS = 10
RATE_HZ = 400
PY_SPY = Path(sys.executable).with_name("py-spy")
ROWS = 45


def main() -> None:
    """Profile unary requests and streamed events, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--redis", action="store_true", help="count in Redis")
    parser.add_argument("--native", action="store_true", help="with functions in C; slower")
    options = parser.parse_args()
    os.sched_setaffinity(0, machine.LOAD_CORES)
    machine.allow_many_files()
    machine.end_in_order()
    with ExitStack() as stack:
        peer = daypass(Stage(stack), on_redis=options.redis)
        loads = {
            "request, 32 connections": partial(load.unary, peer, SECONDS + 2),
            "event, 300 streams": partial(load.streams, peer, 300, window_s=SECONDS + 2),
        }
        for what, run in loads.items():
            say(f"Profiling {SECONDS} s: {what}")
            with ThreadPoolExecutor(1) as other:
                running = other.submit(run)
                time.sleep(load.WARM_UP_S + 0.5)
                samples = _sample(peer, native=options.native)
                cpu_us = running.result()["cpu_us"]
            print(f"\n{cpu_us:.1f} µs per {what} (py-spy slows it a little)\n")
            print(_as_text(samples, cpu_us))


def _sample(peer: Peer, *, native: bool) -> Counter[str]:
    """Samples by the innermost function of the threads that held a core."""
    assert peer.process is not None
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "stacks")
        command = [
            str(PY_SPY),
            "record",
            "--format",
            "raw",
            "--nonblocking",
            "--output",
            str(output),
        ]
        command += ["--pid", str(peer.process.pid), "--rate", str(RATE_HZ)]
        command += ["--duration", str(SECONDS), *(["--native"] if native else [])]
        subprocess.run(command, check=True, capture_output=True)
        samples: Counter[str] = Counter()
        for line in output.read_text().splitlines():
            stack, _, count = line.rpartition(" ")
            samples[stack.rpartition(";")[2]] += int(count)
    return samples


def _as_text(samples: Counter[str], cpu_us: float) -> str:
    total = sum(samples.values())
    lines = [f"{'share':>7} {'µs':>8}  function"]
    for function, count in samples.most_common(ROWS):
        lines.append(f"{count / total:7.1%} {cpu_us * count / total:8.1f}  {function}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
