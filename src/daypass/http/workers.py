"""The supervisor of several worker processes that share the listening sockets."""

import asyncio
import multiprocessing
import os
import pickle
import signal
import socket
from collections.abc import Callable, Sequence
from multiprocessing.context import SpawnProcess

import structlog

from daypass.http.server import STOP_AT_ONCE
from daypass.http.worker import MakeServer, work

RESTART_AFTER_S = 1.0
"""Delay before an ended worker is replaced, to avoid a tight loop if it cannot start."""

log = structlog.get_logger()

_spawn = multiprocessing.get_context("spawn")


class Workers:
    """Starts the workers, replaces those that die, and forwards signals to them."""

    def __init__(self, number: int, make: MakeServer, sockets: Sequence[socket.socket]) -> None:
        self._number = number
        self._make = make
        self._sockets = sockets
        self._running: set[SpawnProcess] = set()
        self._is_stopping = False
        self._ended: asyncio.Event
        self._loop: asyncio.AbstractEventLoop

    async def run(self) -> None:
        """Run until the workers have been asked to stop and all have ended."""
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        actions: dict[int, Callable[[], None]] = {
            signal.SIGTERM: lambda: self._stop(signal.SIGTERM),
            signal.SIGINT: lambda: self._stop(STOP_AT_ONCE),
            signal.SIGHUP: lambda: self._send(signal.SIGHUP),
        }
        for number, act in actions.items():
            self._loop.add_signal_handler(number, act)
        try:
            for _ in range(self._number):
                self._start()
            await self._ended.wait()
        finally:
            for number in actions:
                self._loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    def _start(self) -> None:
        if self._is_stopping:
            return
        worker = _spawn.Process(target=work, args=(pickle.dumps(self._make), list(self._sockets)))
        # Workers inherit ignored signals. Ctrl-C reaches every process of a terminal, but only
        # the supervisor acts on it. SIGHUP would kill a worker that does not handle it yet.
        ignored = (signal.SIGINT, signal.SIGHUP)
        handlers = [signal.signal(number, signal.SIG_IGN) for number in ignored]
        worker.start()
        for number, handler in zip(ignored, handlers, strict=True):
            signal.signal(number, handler)
        log.info("worker_started", process=worker.pid)
        self._running.add(worker)
        self._loop.add_reader(worker.sentinel, self._on_end, worker)

    def _on_end(self, worker: SpawnProcess) -> None:
        self._loop.remove_reader(worker.sentinel)
        worker.join()
        self._running.discard(worker)
        if not self._is_stopping:
            log.error("worker_ended", process=worker.pid, exit_code=worker.exitcode)
            self._loop.call_later(RESTART_AFTER_S, self._start)
        elif not self._running:
            self._ended.set()

    def _stop(self, number: signal.Signals) -> None:
        """Stop the workers. Each further call sends the signal again, to make them stop sooner."""
        if not self._is_stopping:
            self._is_stopping = True
            for listener in self._sockets:
                listener.close()  # No copy may remain here when the last worker closes its own.
        self._send(number)
        if not self._running:
            self._ended.set()

    def _send(self, number: signal.Signals) -> None:
        for worker in self._running:
            if worker.pid is not None and worker.is_alive():
                os.kill(worker.pid, number)
