"""A server process: uvicorn's server, with reload and a shutdown that loses no request."""

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
"""Wait for connections that are being established when the listening socket closes."""
FINISH_S = 30
"""Time limit in seconds for open requests when the server stops or reloads."""
STOP_AT_ONCE = signal.SIGUSR1
"""Signal for a worker to stop without a grace period, because its supervisor got SIGINT."""

log = structlog.get_logger()


class Site(NamedTuple):
    """The application that a process serves, and its settings."""

    application: Application
    keep_alive_s: int
    """Seconds for which an idle connection is kept open."""
    grace_s: float
    """Seconds for which the server keeps serving after SIGTERM while reporting "not ready"."""


LoadSite = Callable[[], Awaitable[Site]]
"""Creates the application from the current settings.

Errors that an operator can correct are raised as one of the `expected` types, with a one-line
message.
"""


class Server(uvicorn.Server):
    """Serves until a signal stops it.

    SIGTERM: report "not ready" but keep serving for the grace period, then stop. SIGINT: stop. A
    second signal ends the grace period, a third one the process. SIGHUP: reload.
    """

    def __init__(self, site: Site, load: LoadSite, expected: tuple[type[Exception], ...]) -> None:
        """Create a server; `expected` are the errors of `load` that an operator can correct."""
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
        """Whether the supervisor has died. Set by another thread."""
        self.missed_signals: list[int] = []
        """SIGHUPs received while this server was being created."""
        self._reloading: asyncio.Task[None] | None = None
        self._reload_again = False

    def stop(self, grace_s: float = 0.0) -> None:
        """Stop after a grace period in seconds; on a second call, at once; on a third, exit."""
        now = asyncio.get_running_loop().time()
        if self._stops_at is not None and self._stops_at <= now:
            os._exit(128 + signal.SIGINT)
        if self._stops_at is None:
            log.info("stopping", after_s=grace_s)
        self._stops_at = now if self._stops_at is not None else now + grace_s
        if self.started:
            self.lifespan.state["is_draining"] = True

    def reload(self) -> None:
        """Start to reload the settings. If the new ones are invalid, the old ones stay."""
        if self._stops_at is not None:
            return
        if not self.started or (self._reloading is not None and not self._reloading.done()):
            self._reload_again = True
        else:
            self._reloading = asyncio.create_task(self._reload())

    # Called by uvicorn.

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while running; afterwards ignore them, so that none disturbs the exit."""
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
        """Run until it is time to stop."""
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
        """Accept the connections in the backlog, finish open requests, and end."""
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
        except Exception as error:  # Keep the old site whatever went wrong.
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
        """Route new requests to the new site, and let the old one finish its open requests."""
        old, self.lifespan = self.lifespan, lifespan
        self.config.loaded_app = site.application
        self.config.timeout_keep_alive = site.keep_alive_s
        self._grace_s = site.grace_s
        log.info("reloaded")
        under_way = set(self.server_state.tasks)
        if under_way:
            await asyncio.wait(under_way, timeout=FINISH_S)
        await old.shutdown()
