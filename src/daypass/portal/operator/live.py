"""GET /api/operator/live: recent requests as server-sent events. They contain no prompts."""

import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, cast

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from daypass.portal.context import InPortal, Operator, Portal, operator
from daypass.portal.live_feed import (
    LISTENERS_MAX,
    Position,
    TooManyListenersError,
)
from daypass.portal.problems import ProblemError
from daypass.records.database import DatabaseUnavailableError

CHECK_EVERY_S = 1.0
"""How often the listener's rights are checked."""
HEARTBEAT_S = 15.0
HELLO = b": connected\nretry: 2000\n\n"
HEARTBEAT = b": still here\n\n"

router = APIRouter()


class EventStream(StreamingResponse):
    """Server-sent events (WHATWG HTML, section 9.2)."""

    media_type = "text/event-stream"

    async def stream_response(self, send: Send) -> None:
        """Send the events. Ends listening at once if the client has gone."""
        async with aclosing(cast(AsyncGenerator[bytes], self.body_iterator)):
            await super().stream_response(send)


@router.get(
    "/live",
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def live_requests(
    request: Request,
    _operator: Operator,
    portal: InPortal,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
) -> EventStream:
    """Send the last hour's requests (at most 1,000), then each one within two seconds of its end.

    Each event is a JSON object: who called with which key, on which plan, which model, the status,
    the outcome and its reason, tokens and duration. `Last-Event-ID` resumes after that event. The
    stream ends when the session or the token does.
    """
    if not portal.live.has_room:
        message = f"{LISTENERS_MAX} people watch already. Close another live view, or try later."
        raise ProblemError(429, message, retry_after_s=30)
    events = _events(request, portal, Position.read(last_event_id))
    # Otherwise nginx holds the events back.
    return EventStream(events, headers={"x-accel-buffering": "no"})


async def _events(request: Request, portal: Portal, after: Position) -> AsyncGenerator[bytes]:
    yield HELLO
    sent_at = checked_at = time.monotonic()
    # If it ends early, the client reconnects and receives the reason.
    with contextlib.suppress(DatabaseUnavailableError, TooManyListenersError, ProblemError):
        async with portal.live.listen(after) as listener:
            while portal.live.is_open:
                new = await listener.next(CHECK_EVERY_S)
                now = time.monotonic()
                if now - checked_at >= CHECK_EVERY_S:
                    await operator(request, portal)
                    checked_at = now
                if new:
                    yield b"".join(event.encode() for event in new)
                    sent_at = now
                elif now - sent_at >= HEARTBEAT_S:
                    yield HEARTBEAT
                    sent_at = now
