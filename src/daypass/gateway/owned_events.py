"""An event stream whose new objects are recorded as the account's before the client sees them."""

import re

import orjson
import structlog

from daypass.gateway.errors import GatewayError
from daypass.gateway.learned_ids import LearnedIds, ids_in_event
from daypass.gateway.ownership import Ownership
from daypass.records.database import DatabaseUnavailableError
from daypass.upstreams.base import UpstreamBrokeError, UpstreamResponse

EVENT_BYTES = 64 * 1024 * 1024

# WHATWG HTML, section 9.2.6: a line ends with CR LF, LF or CR, an event with an empty line.
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE_END = re.compile(rb"\r\n|\n|\r")

log = structlog.get_logger()


class OwnedEvents:
    """Relays an event stream unchanged, in whole events."""

    __slots__ = (
        "_account_id", "_held", "_known", "_ownership", "_ready", "_response", "headers", "status",
    )  # fmt: skip

    def __init__(self, response: UpstreamResponse, ownership: Ownership, account_id: str) -> None:
        self._response = response
        self._ownership = ownership
        self._account_id = account_id
        self._known: set[str] = set()
        self._held = b""
        """The beginning of an incomplete event."""
        self._ready = b""
        self.status = response.status
        self.headers = response.headers

    async def begin(self) -> None:
        """Read the first events, while an error can still be answered with its own status."""
        self._ready = await self._next()

    @property
    def ended(self) -> bool:
        """Whether all of the stream has been read."""
        return self._response.ended and not self._held and not self._ready

    async def read(self) -> bytes:
        """Return the next events; empty at the end. Raises UpstreamBrokeError."""
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        try:
            return await self._next()
        except (DatabaseUnavailableError, GatewayError) as error:
            log.warning("owner_not_noted", reason=str(error))
            raise UpstreamBrokeError from error

    def close(self) -> None:
        """Close the upstream's answer."""
        self._response.close()

    async def _next(self) -> bytes:
        """Read up to the end of an event, and record the objects in the events read."""
        while not self._response.ended:
            self._held += await self._response.read()
            ends = [match.end() for match in _EVENT_END.finditer(self._held)]
            if ends:
                whole, self._held = self._held[: ends[-1]], self._held[ends[-1] :]
                await self._note(whole)
                return whole
            if len(self._held) > EVENT_BYTES:
                raise UpstreamBrokeError
        rest, self._held = self._held, b""
        await self._note(rest)
        return rest

    async def _note(self, events: bytes) -> None:
        own: list[LearnedIds] = []
        for event in _EVENT_END.split(events):
            if b'"id"' not in event and b'_id"' not in event:
                continue
            lines = (line for line in _LINE_END.split(event) if line.startswith(b"data:"))
            data = b"\n".join(line[5:].strip() for line in lines)
            try:
                own.append(ids_in_event(orjson.loads(data)))
            except ValueError:
                continue  # `[DONE]`, or data without objects
        for learned in own:
            if not learned.all <= self._known:
                await self._ownership.claim(self._account_id, learned)
                self._known |= learned.all
