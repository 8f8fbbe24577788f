"""A check of the host name in requests."""

import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from daypass.gateway.errors import GatewayError
from daypass.gateway.response_writer import ResponseWriter
from daypass.portal.problems import ProblemError, to_response

THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
# Monitoring calls these paths by IP address. They expose only health and metrics.
ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::\d*)?")  # RFC 3986, section 3.2.2


class HostCheck:
    """Middleware that rejects requests for other hosts with 421 (RFC 9110, section 15.5.20).

    This keeps foreign host names out of responses, caches and links.
    """

    def __init__(self, app: ASGIApp, public_url: str, hosts: Iterable[str]) -> None:
        """Allow `hosts` on every port: the host of `public_url`, and any others.

        The error message names `public_url`.
        """
        self._app = app
        self._hosts = frozenset(_name(host.encode()) for host in (*hosts, *THIS_MACHINE))
        self._message = f"This site is not served under this host name. Use {public_url}."

    # Must be a coroutine function: this is how servers tell ASGI 3 from ASGI 2.
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or reject it."""
        if scope["type"] != "http" or self._is_known(scope) or scope["path"] in ANY_HOST:
            await self._app(scope, receive, send)
        else:
            await self._refuse(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return len(hosts) == 1 and (hosts[0] in self._hosts or _name(hosts[0]) in self._hosts)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/v1/"):
            await ResponseWriter(send).refuse(GatewayError(421, "unknown_host", self._message))
        else:
            problem = ProblemError(421, self._message).problem
            await to_response(problem)(scope, receive, send)


def _name(host: bytes) -> bytes:
    """Return a host without its port, or an empty string if it is invalid."""
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else b""
