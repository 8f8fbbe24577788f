"""What goes back to the caller, errors included."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from daypass.faults import place_of
from daypass.gateway.asgi import Headers, Send
from daypass.gateway.errors import GatewayError, server_error, unavailable
from daypass.gateway.relay import UsageReader, relay
from daypass.gateway.request import CallerGoneError
from daypass.gateway.upstream import UpstreamBrokeError, UpstreamResponse
from daypass.quota.ledger import LedgerUnavailableError

log = structlog.get_logger()


class Answer:
    """What goes back to the caller: its headers gather on the way, its start is sent once."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: Headers = [(b"x-request-id", f"req_{uuid4().hex}".encode())]
        self.started = False

    def add(self, headers: Headers) -> None:
        """Add headers to those that will be sent."""
        self._headers += headers

    def replace(self, headers: Headers) -> None:
        """Add headers in place of those of the same names."""
        names = {name for name, _ in headers}
        self._headers = [pair for pair in self._headers if pair[0] not in names] + headers

    async def relay(self, response: UpstreamResponse, usage: UsageReader) -> None:
        """Send the upstream's answer. Raises UpstreamBrokeError."""
        self.started = True
        await relay(response, self._headers, self._send, usage)

    async def json(self, status: int, body: bytes) -> None:
        """Send a JSON document."""
        self.started = True
        headers = [
            *self._headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def error(self, error: GatewayError) -> None:
        """Send an error in OpenAI's shape."""
        self.add(error.headers)
        await self.json(error.status, error.body())


async def serve(call: Callable[[Answer], Awaitable[None]], send: Send) -> None:
    """Run a call and answer with its error, if it raises one. Ends early with its caller."""
    answer = Answer(send)
    try:
        await call(answer)
    except GatewayError as error:
        await answer.error(error)
    except (LedgerUnavailableError, SQLAlchemyError) as error:
        log.error("cannot_decide", reason=type(error).__name__)
        if not answer.started:
            await answer.error(unavailable())
    except CallerGoneError:
        pass
    except UpstreamBrokeError as error:
        # Returning without an end makes the server cut the connection: the caller must not
        # take what came so far for the whole.
        log.warning("upstream_broke_off", reason=str(error))
    except Exception as error:
        log.error("gateway_fault", reason=place_of(error))
        if not answer.started:
            message = "Something went wrong in Daypass. The operator finds it in the log."
            await answer.error(server_error(500, "internal_error", message))
