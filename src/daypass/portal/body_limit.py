"""The portal's limit on the size of request bodies."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 64 * 1024
"""The limit for every path except the chat's and the logo's."""
CHAT_PATH = "/api/chat/completions"
LOGO_PATH = "/api/operator/logo"
MAX_LOGO_BYTES = 1024 * 1024
"""More than a logo may have, so that its route can refuse most of the larger ones in words."""


class BodyLimit:
    """ASGI middleware that refuses a too large body with 413 as early as possible.

    Bodies are read before the client is authenticated. Without a limit, anyone could exhaust the
    memory.
    """

    def __init__(self, app: ASGIApp, max_chat_bytes: int) -> None:
        self._app = app
        self._limits = {CHAT_PATH: max_chat_bytes, LOGO_PATH: MAX_LOGO_BYTES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, counting the bytes of its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = HTTPException(413, headers={"connection": "close"})
        limit = self._limits.get(scope["path"], MAX_BYTES)
        declared = Headers(scope=scope).get("content-length", "")
        size = 0

        async def limited() -> Message:
            nonlocal size
            if declared.isdecimal() and int(declared) > limit:
                raise too_large
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                raise too_large
            return message

        await self._app(scope, limited, send)
