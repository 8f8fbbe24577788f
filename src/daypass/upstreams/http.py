"""An upstream over HTTP/1.1 with a pool of keep-alive connections.

It follows no redirects and decompresses nothing. A request is retried only if its method is
idempotent (RFC 9110, section 9.2.2) and the upstream closed a reused connection before it
responded.
"""

import asyncio
import socket
import ssl
from urllib.parse import urlsplit

from daypass.config.upstreams import Auth
from daypass.domain.network import may_be_upstream
from daypass.upstreams.base import (
    Timeouts,
    UpstreamRequest,
    UpstreamResponse,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from daypass.upstreams.connection import Connection
from daypass.upstreams.dialing import Address, connect_first
from daypass.upstreams.redaction import Redacted, without_encoded_error

KEEP_ALIVE_S = 4
"""Less than the 5 s after which uvicorn (as in vLLM) closes an idle connection."""
SWEEP_EVERY_S = 0.5
SHORTEST_SECRET = 16
"""Characters. Shorter keys are placeholders such as "none", used with local servers."""
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class HttpUpstream:
    """An upstream over HTTP/1.1 with a pool of keep-alive connections."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        timeouts: Timeouts,
        *,
        auth: Auth = "bearer",
        may_be_private: bool = True,
    ) -> None:
        """Create the pool. Needs a running event loop.

        `auth` chooses the header that carries the key. Without `may_be_private`, only public
        addresses are allowed.
        """
        address = urlsplit(base_url)
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._host = address.hostname or ""
        self._port = address.port or (443 if self._tls else 80)
        self._path = address.path.rstrip("/").encode()
        lines = [f"host: {address.netloc.rpartition('@')[2]}", "accept-encoding: identity"]
        if api_key:
            name = "authorization: Bearer" if auth == "bearer" else f"{auth}:"
            lines.append(f"{name} {api_key}")
        secret = (api_key or "").encode("latin-1")
        self._secret = secret if len(secret) >= SHORTEST_SECRET else b""
        self._fixed_headers = "".join(f"\r\n{line}" for line in lines).encode("latin-1")
        self._timeouts = timeouts
        self._may_be_private = may_be_private
        self._connections: set[Connection] = set()
        self._idle: dict[Connection, float] = {}
        self._is_draining = False
        self._loop = asyncio.get_running_loop()
        self._sweeping: asyncio.TimerHandle | None
        self._sweeping = self._loop.call_later(SWEEP_EVERY_S, self._sweep)

    async def open(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send a request and return once the response head has arrived. Raises UpstreamError."""
        connection = self._take_idle()
        if connection is not None:
            try:
                response = await connection.exchange(request, self._head(request))
                return self._guarded(response)
            except UpstreamUnreachableError:
                replayable = request.method in IDEMPOTENT and isinstance(request.body, bytes)
                if connection.was_heard or not replayable:
                    raise
        connection = await self._connect()
        return self._guarded(await connection.exchange(request, self._head(request)))

    @property
    def is_idle(self) -> bool:
        """Return whether no connection is open."""
        return not self._connections

    async def close(self) -> None:
        """Close every connection."""
        self.drain()
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in list(self._connections):
            connection.abort()

    def drain(self) -> None:
        """Let requests in flight finish, and keep no connection after them."""
        self._is_draining = True
        for connection in list(self._idle):
            connection.abort()

    def keep(self, connection: Connection) -> None:
        """Put a connection into the pool for the next request."""
        if self._is_draining:
            connection.abort()
        else:
            self._idle[connection] = self._loop.time()

    def discard(self, connection: Connection) -> None:
        """Remove a closed connection from the pool."""
        self._connections.discard(connection)
        self._idle.pop(connection, None)

    def _take_idle(self) -> Connection | None:
        """Return the most recently used idle connection, or None. Close expired ones."""
        while self._idle:
            connection, since = self._idle.popitem()
            if self._loop.time() - since < KEEP_ALIVE_S and not connection.is_closing:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(self._timeouts.connect_s):
                connection = await self._dial(await self._resolve())
        except TimeoutError as error:
            raise UpstreamTimeoutError("no connection in time", was_sent=False) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: invalid host name
            raise UpstreamUnreachableError(_reason(error)) from error
        self._connections.add(connection)
        if self._sweeping is None:
            self._sweep()
        return connection

    async def _resolve(self) -> list[Address]:
        """Return the addresses to connect to. Check all each time, as DNS records change."""
        found = await self._loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        hosts = [str(place[0]) for *_, place in found]
        if not all(may_be_upstream(x, private=self._may_be_private) for x in hosts):
            raise UpstreamUnreachableError("its address is not allowed")
        return [Address(family, place) for family, *_, place in found]

    async def _dial(self, addresses: list[Address]) -> Connection:
        """Connect to one of the addresses; if TLS fails, try the next one."""
        name = self._host if self._tls else None
        while True:
            address, connected = await connect_first(addresses)
            try:
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self), sock=connected, ssl=self._tls, server_hostname=name
                )
            except OSError:
                addresses = [x for x in addresses if x != address]
                if not addresses:
                    raise
            else:
                return connection

    def _guarded(self, response: UpstreamResponse) -> UpstreamResponse:
        """Return the response, with the operator's key redacted: an error may quote the request."""
        if response.status < 300 or not self._secret:
            return response
        return Redacted(without_encoded_error(response), self._secret)

    def _head(self, request: UpstreamRequest) -> bytes:
        lines = [b"%b %b%b HTTP/1.1" % (request.method.encode(), self._path, request.target)]
        lines += [b"%b: %b" % header for header in request.headers]
        body = request.body
        length = len(body) if isinstance(body, bytes) else request.length
        if length is None:
            lines.append(b"transfer-encoding: chunked")
        elif length or request.method in ("POST", "PUT", "PATCH"):
            lines.append(b"content-length: %d" % length)
        return b"\r\n".join(lines) + self._fixed_headers + b"\r\n\r\n"

    def _sweep(self) -> None:
        """Close connections idle for too long, and fail requests that have timed out."""
        now = self._loop.time()
        for connection in [x for x, since in self._idle.items() if now - since >= KEEP_ALIVE_S]:
            connection.abort()
        for connection in list(self._connections):
            connection.expire(now, self._timeouts)
        # The timer holds the pool, and so its key, in memory.
        is_over = self._is_draining and not self._connections
        self._sweeping = None if is_over else self._loop.call_later(SWEEP_EVERY_S, self._sweep)


def _reason(error: Exception) -> str:
    """Return why connecting failed, without naming the host."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was rejected: {error.verify_message.partition(',')[0]}"
    return type(error).__name__
