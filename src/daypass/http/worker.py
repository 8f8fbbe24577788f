"""One of several worker processes. Imports little, so that it soon notices a dead supervisor."""

import multiprocessing
import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daypass.http.server import Server

ORPHAN_S = 1.5
"""For a worker whose supervisor has died to finish what it can."""

MakeServer = Callable[[], "Server"]
"""Makes the server of a worker, in the worker."""


def work(pickled_make: bytes, sockets: list[socket.socket]) -> None:
    """Serve on these sockets. `pickled_make` is a MakeServer, whose modules are slow to import."""
    missed: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _: missed.append(number))
    servers: list[Server] = []
    threading.Thread(target=_end_with_supervisor, args=(servers,), daemon=True).start()
    make: MakeServer = pickle.loads(pickled_make)  # noqa: S301  (by the supervisor)
    server = make()
    server.missed_signals = missed
    servers.append(server)
    server.run(sockets)


def _end_with_supervisor(servers: "list[Server]") -> None:
    """Wait until the supervisor has died without a word; then stop, within 2 seconds.

    A worker that has no server yet ends at once: it serves nobody, but holds the port.
    """
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None  # noqa: S101
    supervisor.join()
    for server in servers:
        server.is_orphan = True
        _log_orphan()
        time.sleep(ORPHAN_S)
    os._exit(1)


def _log_orphan() -> None:
    import structlog  # noqa: PLC0415  (slow to import)

    structlog.get_logger().error("supervisor_ended")
