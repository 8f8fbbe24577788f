"""A server process under test, pinned to its core and measured with all its children."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """A measurement could not be made. The message says why."""


def clean_environment(**settings: str) -> dict[str, str]:
    """The environment of a newcomer: nothing of ours but these settings."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | settings


class Process:
    """A process and its children, on given cores. Its output goes to a log file."""

    def __init__(
        self,
        command: Sequence[str],
        directory: Path,
        cores: set[int],
        environment: Mapping[str, str],
    ) -> None:
        self._log = directory / "output.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        os.sched_setaffinity(self._process.pid, cores)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self, url: str, timeout_s: float = 60, every_s: float = 0.05) -> None:
        """Wait until `url` answers 200. Raises BenchError with the end of the log."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError):
                if _answers(url):
                    return
            time.sleep(every_s)
        self.stop()
        tail = self._log.read_text(errors="replace")[-3000:]
        raise BenchError(f"{self._process.args!r} is not ready at {url}:\n{tail}")

    def wait_until_listening(self, port: int) -> None:
        """Wait until a loopback port accepts connections. Raises BenchError."""
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return
            time.sleep(0.05)
        raise BenchError(f"{self._process.args!r} does not listen")

    def cpu_s(self) -> float:
        """User and system time of the tree so far, in seconds."""
        return sum(_cpu_s(pid) for pid in self._tree())

    def memory_kib(self) -> int:
        """Proportional set size of the tree (proc(5), smaps_rollup), in KiB."""
        return sum(_memory_kib(pid) for pid in self._tree())

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """Run within, and be suspended after it, so that others are measured undisturbed."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.suspend()

    def suspend(self) -> None:
        """Suspend the process tree until it is resumed."""
        self._signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Terminate the tree, then kill it, even if a second Ctrl-C arrives meanwhile."""
        self._signal(signal.SIGCONT)
        try:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(10)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._tree():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _tree(self) -> list[int]:
        if self._process.poll() is not None:
            return []
        parents = {pid: parent for pid in _all_pids() if (parent := _parent(pid)) is not None}
        tree = [self.pid]
        for pid in tree:
            tree += [child for child, parent in parents.items() if parent == pid]
        return tree


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError:
        return False


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat after the name, which may hold spaces (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return None if fields is None else int(fields[1])


def _cpu_s(pid: int) -> float:
    """Time of a process with the children that it has waited for.

    /proc/<pid>/stat is cut to ticks of 10 ms but knows threads that have ended; the threads'
    schedstat is in nanoseconds. The larger of the two misses less.
    """
    fields = _stat(pid)
    if fields is None:
        return 0.0
    user, system, child_user, child_system = (int(x) for x in fields[11:15])
    fine = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            fine += int(thread.read_text().split()[0])
    return max((user + system) / TICKS, fine / 1e9) + (child_user + child_system) / TICKS


def _memory_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
