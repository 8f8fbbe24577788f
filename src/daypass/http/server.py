"""One process that serves: uvicorn's server with reloading and a stop that loses no request."""

import asyncio
import contextlib
import copy
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

import structlog
import uvicorn
from uvicorn.lifespan.on import LifespanOn

from daypass.http.listener import BACKLOG, stop_new_connections
from daypass.http.server_protocol import HttpProtocol
from daypass.http.types import Application
from daypass.observability.safe_errors import error_location

TICK_S = 0.1
ARRIVE_S = 0.3
"""For connections under way when the listening socket closes."""
FINISH_S = 30
"""For requests under way when the server stops or reloads."""
STOP_AT_ONCE = signal.SIGUSR1
"""Tells a worker to stop without the grace: its supervisor was interrupted."""

log = structlog.get_logger()


class Site(NamedTuple):
    """What a process serves, as its settings say."""

    application: Application
    keep_alive_s: int
    """How long a connection without a request is kept open."""
    grace_s: float
    """How long a server that was told to terminate goes on serving while it is not ready."""


LoadSite = Callable[[], Awaitable[Site]]
"""Makes the application by the present settings.

What an operator can correct is raised as one of the `expected` errors, whose words are one line.
"""


class Server(uvicorn.Server):
    """Serves until it is told to stop.

    SIGTERM: be not ready for the grace, and serve on; then stop. SIGINT: stop. A second signal
    ends the grace, and the next one the process. SIGHUP: reload.
    """

    def __init__(self, site: Site, load: LoadSite, expected: tuple[type[Exception], ...]) -> None:
        """`expected` are the errors of `load` that an operator can correct."""
        super().__init__(
            uvicorn.Config(
                site.application,
                interface="asgi3",
                loop="uvloop",
                http=HttpProtocol,
                ws="none",
                lifespan="on",
                access_log=False,
                log_level="warning",
                log_config=None,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_keep_alive=site.keep_alive_s,
                timeout_graceful_shutdown=FINISH_S,
            )
        )
        self._load = load
        self._expected = expected
        self._grace_s = site.grace_s
        self._stops_at: float | None = None
        self.is_orphan = False
        """Whether the process that watched over this one has died. Set by another thread."""
        self.missed_signals: list[int] = []
        """SIGHUP that came while this server was being made."""
        self._reloading: asyncio.Task[None] | None = None
        self._reload_again = False

    def stop(self, grace_s: float = 0.0) -> None:
        """Stop after a grace in seconds. Asked again: stop at once; a third time, just end."""
        now = asyncio.get_running_loop().time()
        if self._stops_at is not None and self._stops_at <= now:
            os._exit(128 + signal.SIGINT)
        if self._stops_at is None:
            log.info("stopping", after_s=grace_s)
        self._stops_at = now if self._stops_at is not None else now + grace_s
        if self.started:
            self.lifespan.state["is_draining"] = True

    def reload(self) -> None:
        """Begin to serve by the settings as they are now; keep the old ones if they are wrong."""
        if self._stops_at is not None:
            return
        if not self.started or (self._reloading is not None and not self._reloading.done()):
            self._reload_again = True
        else:
            self._reloading = asyncio.create_task(self._reload())

    # What uvicorn calls.

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Act on signals. Once this process has stopped, a late one does not disturb its end."""
        loop = asyncio.get_running_loop()
        actions: dict[int, Callable[[], None]] = {
            signal.SIGTERM: lambda: self.stop(self._grace_s),
            signal.SIGINT: self.stop,
            STOP_AT_ONCE: self.stop,
            signal.SIGHUP: self.reload,
        }
        for number, act in actions.items():
            loop.add_signal_handler(number, act)
        try:
            yield
        finally:
            for number in actions:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    async def main_loop(self) -> None:
        """Serve until it is time to stop."""
        loop = asyncio.get_running_loop()
        ticks = 0
        if self._reload_again or self.missed_signals:
            self._reload_again = False
            self.reload()
        while self._stops_at is None or loop.time() < self._stops_at:
            await self.on_tick(ticks)
            ticks += 1
            await asyncio.sleep(TICK_S)
            if self.is_orphan:
                self.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take the connections that are under way, finish what they ask, and end."""
        if self._reloading is not None:
            self._reloading.cancel()
            await asyncio.wait([self._reloading])
        for listener in sockets or ():
            stop_new_connections(listener)
        await asyncio.sleep(ARRIVE_S)
        await super().shutdown(sockets)

    async def _reload(self) -> None:
        try:
            site = await self._load()
            lifespan = await self._start(site.application)
        except self._expected as error:
            log.error("reload_refused", reason=str(error))
        except Exception as error:  # Whatever it is, the old site goes on.
            log.error("reload_refused", reason=error_location(error))
        else:
            await self._replace(site, lifespan)
        if self._reload_again:
            self._reload_again = False
            await self._reload()

    async def _start(self, application: Application) -> LifespanOn:
        config = copy.copy(self.config)
        config.loaded_app = application
        lifespan = LifespanOn(config)
        lifespan.state = self.lifespan.state
        await lifespan.startup()
        if lifespan.should_exit:
            raise RuntimeError("the application did not start")
        return lifespan

    async def _replace(self, site: Site, lifespan: LifespanOn) -> None:
        """Serve new requests by the new site, and let the old one finish what it has begun."""
        old, self.lifespan = self.lifespan, lifespan
        self.config.loaded_app = site.application
        self.config.timeout_keep_alive = site.keep_alive_s
        self._grace_s = site.grace_s
        log.info("reloaded")
        under_way = set(self.server_state.tasks)
        if under_way:
            await asyncio.wait(under_way, timeout=FINISH_S)
        await old.shutdown()
