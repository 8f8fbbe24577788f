"""A worker process. Imports little, to start watching its supervisor early."""

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
"""Time that a worker has to finish requests after its supervisor has died."""

MakeServer = Callable[[], "Server"]
"""Creates the server; called in the worker process."""


def work(pickled_make: bytes, sockets: list[socket.socket]) -> None:
    """Serve on `sockets`. `pickled_make` is a MakeServer; unpickling it imports slow modules."""
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
    """Wait for the supervisor to die unexpectedly, then stop within 2 seconds.

    A worker without a server exits at once: it has no requests to finish, but holds the port.
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
