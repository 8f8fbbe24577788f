"""How much of a request's body the portal takes in."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 64 * 1024
"""Of any call but a chat's."""
CHAT_PATH = "/api/chat/completions"


class BodyLimit:
    """Refuses a larger body with 413 as soon as it is known to be one.

    A body is read before it is known who sends it: without a limit anybody could fill the memory.
    """

    def __init__(self, app: ASGIApp, max_chat_bytes: int) -> None:
        self._app = app
        self._max_chat_bytes = max_chat_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose body ends in time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = HTTPException(413, headers={"connection": "close"})
        limit = self._max_chat_bytes if scope["path"] == CHAT_PATH else MAX_BYTES
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
