"""The access log: one line per request."""

import time
from collections.abc import Sequence

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daypass.config.sign_in import Network
from daypass.portal.client_address import caller_of
from daypass.upstreams.refusals import redact

LEFT = 499
"""Logged if the client disconnected before the response started (nginx's convention)."""
PATH_LENGTH = 200

log = structlog.get_logger()


class AccessLog:
    """Middleware that logs each request when it has ended.

    Key-like parts of the path are redacted. The query is omitted, as it may contain tokens.
    """

    def __init__(self, application: ASGIApp, trusted_proxies: Sequence[Network]) -> None:
        self._application = application
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and log it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        began = time.perf_counter()
        status = LEFT
        request_id: str | None = None

        async def watch(message: Message) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                found = dict(message.get("headers", ())).get(b"x-request-id")
                request_id = found.decode("latin-1") if found else None
            await send(message)

        try:
            await self._application(scope, receive, watch)
        finally:
            log.info(
                "request",
                client=caller_of(HTTPConnection(scope), self._trusted_proxies).address,
                method=scope["method"],
                path=redact(scope["path"], PATH_LENGTH),
                status=status,
                milliseconds=round((time.perf_counter() - began) * 1000),
                request_id=request_id,
            )
