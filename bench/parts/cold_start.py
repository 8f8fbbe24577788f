"""From the start of `daypass serve` to its first 200 on /readyz."""

import sys
import time

from tests.support.ports import free_port

from bench.daypass_site import make_site
from bench.load import Figures
from bench.peers import Stage
from bench.rounds import Effort, Runs, alternate

STARTS = 4
"""For each round elsewhere. The first of all fills the page cache and is not counted."""


def measure(stage: Stage, _names: list[str], effort: Effort) -> dict[str, Runs]:
    """With an existing database and the program's files in the page cache."""
    directory = stage.directory("cold")
    make_site(directory, keys=100, used=1)

    def start() -> Figures:
        port = free_port()
        command = [sys.executable, "-m", "daypass", "serve", "--port", str(port)]
        began = time.monotonic()
        process = stage.start(directory, command, settings={"DAYPASS_DEMO": "1"})
        process.wait_until_ready(f"http://127.0.0.1:{port}/readyz", every_s=0.005)
        took, cpu = time.monotonic() - began, process.cpu_s()
        process.stop()
        return {"seconds": took, "cpu_s": cpu}

    start()
    runs = {"daypass": start}
    return {"cold start": alternate("cold start", STARTS * effort.rounds, runs, shown="seconds")}
