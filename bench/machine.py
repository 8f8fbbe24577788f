"""The machine: its description, its limits, and the assignment of its cores."""

import os
import platform
import resource
import signal
import sys
import time
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
GATEWAY_CORES = {CORES[-1]}
"""The gateway under test has the last core to itself."""
LOAD_CORES = set(CORES[:-1]) or GATEWAY_CORES
"""Upstream, load generator and Redis share the others."""


QUIET = 0.1
"""Share of a core that others may use on a quiet machine."""


def allow_many_files() -> None:
    """Raise the open-file limit to its maximum for this process and its children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def wait_until_quiet(patience_s: float) -> bool:
    """Wait until the cores are idle for half a second. Return False on timeout."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        before = busy_s(set(CORES))
        time.sleep(0.5)
        if busy_s(set(CORES)) - before < 0.5 * QUIET:
            return True
    return False


def busy_s(cores: set[int]) -> float:
    """Return the total CPU time used on these cores since boot, in seconds."""
    names = {f"cpu{core}" for core in cores}
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    # user, nice and system, and steal: what the hypervisor gave to others (proc(5)).
    ticks = (sum(int(line[i]) for i in (1, 2, 3, 8)) for line in lines if line[0] in names)
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def end_in_order() -> None:
    """Let SIGTERM unwind this process as Ctrl-C does, so that the servers it started end too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))


def describe() -> dict[str, str]:
    """Return a description of the machine for the report."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{_processor()}, {len(CORES)} cores",
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
