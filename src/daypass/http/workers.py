"""Several processes that share the listening sockets, and the one that watches over them."""

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
"""Before a worker that has ended is replaced, so that one that cannot start does not spin."""

log = structlog.get_logger()

_spawn = multiprocessing.get_context("spawn")


class Workers:
    """Starts the workers, replaces those that die, and passes signals on to them."""

    def __init__(self, number: int, make: MakeServer, sockets: Sequence[socket.socket]) -> None:
        self._number = number
        self._make = make
        self._sockets = sockets
        self._running: set[SpawnProcess] = set()
        self._is_stopping = False
        self._ended: asyncio.Event
        self._loop: asyncio.AbstractEventLoop

    async def run(self) -> None:
        """Run until all workers have been told to stop and have ended."""
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
        # A worker inherits what is ignored. Ctrl-C reaches all processes of a terminal, and the
        # workers leave it to this one; SIGHUP would end a worker that has not begun to handle it.
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
        """Stop the workers. Asked again, they are told again, which hurries them."""
        if not self._is_stopping:
            self._is_stopping = True
            for listener in self._sockets:
                listener.close()  # The last worker to close it must be the last to have it.
        self._send(number)
        if not self._running:
            self._ended.set()

    def _send(self, number: signal.Signals) -> None:
        for worker in self._running:
            if worker.pid is not None and worker.is_alive():
                os.kill(worker.pid, number)
