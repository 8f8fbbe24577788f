"""Recent requests of all processes, as they come, for the operators who watch."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

import orjson
import structlog

from daypass.background import end, wait_at_most
from daypass.domain.plans import Amounts
from daypass.portal.times import iso_ms
from daypass.records import api_keys, receipts
from daypass.records.api_keys import OwnedKey
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.receipts import LiveReceipt

LISTENERS_MAX = 20
"""Per process."""
POLL_EVERY_S = 0.5
HISTORY_MS = 3_600_000
"""How far back the view begins."""
KEPT = 1_000
"""The most requests that a new listener, or one that has fallen behind, is sent at once."""
BATCHES_MAX = 500
"""Rows that one poll reads."""
OVERLAP_MS = 3_000
"""Transactions that write at the same time can become visible in any order."""

log = structlog.get_logger()


class TooManyListenersError(Exception):
    """This process has as many listeners as it may."""


class Position(NamedTuple):
    """The place of a request in the feed, on every process."""

    written_at: int
    at: int
    request_id: str

    @classmethod
    def read(cls, last_event_id: str | None) -> "Position":
        """Return the position of the last event that a client has; else the beginning."""
        match (last_event_id or "").split(":", 2):
            case [written_at, at, request_id] if written_at.isdecimal() and at.isdecimal():
                return cls(int(written_at), int(at), request_id)
        return cls(0, 0, "")


class LiveEvent(NamedTuple):
    """A request, as a server-sent event."""

    position: Position
    data: bytes

    def encode(self) -> bytes:
        """Return the event (WHATWG HTML, 9.2.6)."""
        event_id = ":".join(map(str, self.position)).encode()
        return b"id: %b\ndata: %b\n\n" % (event_id, self.data)


class Listener:
    """Somebody who watches."""

    def __init__(self, feed: "LiveFeed", after: Position) -> None:
        self._feed = feed
        self._after = after
        self._seen = 0

    async def next(self, timeout_s: float) -> list[LiveEvent]:
        """Return the requests that are new to this listener; [] if none comes in time."""
        if self._seen == self._feed.count:
            await wait_at_most(timeout_s, self._feed.news)
        new = self._feed.since(self._seen)
        self._seen = self._feed.count
        return [event for event in new if event.position > self._after]


class LiveFeed:
    """Reads new receipts from the database while somebody listens, once for all listeners."""

    def __init__(self, database: Database, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """`is_stopping` tells whether the server is about to stop."""
        self._database = database
        self._is_stopping = is_stopping
        self._is_closed = False
        self._listeners = 0
        self._recent: deque[LiveEvent] = deque(maxlen=KEPT)
        self._met: dict[str, int] = {}
        """When the requests that the next poll may meet again were written, by id."""
        self._since = 0
        self._polling: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self.count = 0
        """How many requests have been published."""
        self.news = asyncio.Event()
        """Set when there are more."""

    @property
    def is_open(self) -> bool:
        """Whether listeners may stay: a server that stops waits for them."""
        return not (self._is_closed or self._is_stopping())

    @property
    def has_room(self) -> bool:
        """Whether one more can listen."""
        return self._listeners < LISTENERS_MAX

    @contextlib.asynccontextmanager
    async def listen(self, after: Position) -> AsyncIterator[Listener]:
        """Yield a listener for recent and then new requests, without those up to `after`.

        Raises TooManyListenersError and DatabaseUnavailableError.
        """
        if not self.has_room:
            raise TooManyListenersError
        self._listeners += 1
        try:
            async with self._starting:
                if self._polling is None:
                    await self._begin()
            yield Listener(self, after)
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                await self._stop()

    def since(self, seen: int) -> list[LiveEvent]:
        """Return the requests after the first `seen` ones, as far as they are kept."""
        new = min(self.count - seen, len(self._recent))
        return list(self._recent)[len(self._recent) - new :]

    async def close(self) -> None:
        """Stop polling, and let the listeners go."""
        self._is_closed = True
        await self._stop()

    async def _stop(self) -> None:
        polling, self._polling = self._polling, None
        self._recent.clear()
        self._met.clear()
        if polling is not None:
            await end([polling])

    async def _begin(self) -> None:
        async with self._database.read() as session:
            self._since = await receipts.clock_ms(session) - HISTORY_MS
        await self._poll()
        self._polling = asyncio.create_task(self._poll_often())

    async def _poll_often(self) -> None:
        is_failing = False
        while True:
            await asyncio.sleep(POLL_EVERY_S)
            try:
                await self._poll()
                is_failing = False
            except DatabaseUnavailableError as error:
                if not is_failing:
                    log.warning("live_view_behind", reason=str(error))
                is_failing = True

    async def _poll(self) -> None:
        async with self._database.read() as session:
            found = await receipts.written_since(session, self._since, BATCHES_MAX)
            new = [x for x in found if x.receipt.request_id not in self._met][-KEPT:]
            owned = await api_keys.owners(session, {x.receipt.api_key_id for x in new})
        if found:
            self._since = max(self._since, found[-1].written_at - OVERLAP_MS)
        self._met.update((x.receipt.request_id, x.written_at) for x in new)
        self._met = {name: at for name, at in self._met.items() if at > self._since}
        if new:
            self._publish([_event(x, owned.get(x.receipt.api_key_id)) for x in new])

    def _publish(self, events: Sequence[LiveEvent]) -> None:
        self._recent.extend(events)
        self.count += len(events)
        news, self.news = self.news, asyncio.Event()
        news.set()


def _event(live: LiveReceipt, owned: OwnedKey | None) -> LiveEvent:
    receipt = live.receipt
    amounts = receipt.settled or receipt.reserved
    used = Amounts(*amounts) if amounts else None
    document = {
        "request_id": receipt.request_id,
        "at": iso_ms(receipt.at),
        "account_id": live.account_id,
        "email": owned.email if owned else None,
        "api_key_id": receipt.api_key_id,
        "api_key_name": owned.name if owned else None,
        "usage_plan_id": owned.usage_plan_id if owned else None,
        "model": receipt.model,
        "via": receipt.via,
        "status": receipt.status,
        "outcome": receipt.outcome,
        "reason": receipt.reason,
        "tokens": used.tokens if used else None,
        "cost": used.cost if used else None,
        "is_settled": receipt.settled is not None,
        "duration_ms": receipt.duration_ms,
    }
    position = Position(live.written_at, receipt.at, receipt.request_id)
    return LiveEvent(position, orjson.dumps(document))
