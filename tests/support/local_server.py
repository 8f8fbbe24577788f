"""An ASGI application served in its own thread, on a free loopback port."""

import socket
import threading
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


class LocalServer:
    """The base of test servers. Its address is known before it starts."""

    def __init__(self, app: ASGIApp, certificate: Path | None = None) -> None:
        """With a `certificate`, serve TLS as `localhost`."""
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            interface="asgi3",
            log_level="critical",
            lifespan="off",
            ws="none",
            ssl_certfile=certificate,
        )
        self._address = "https://localhost" if certificate else "http://127.0.0.1"
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"{self._address}:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()
