"""A client that holds thousands of event streams and looks at their cadence.

Raw asyncio protocols on uvloop. As a process (`python -m bench.streams`) it reads an `Order` as
JSON on its input and writes a JSON line at each turning point: `open` (every stream has its first
event), `start` and `end` of the measured window with the events so far, and `result`.
"""

import asyncio
import dataclasses
import json
import math
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import uvloop

from bench.upstream import ENDING_EVENTS, completion_body

Announce = Callable[[str, int], None]


@dataclass(frozen=True)
class Order:
    """What to open. Times are seconds; `headers` are taken in turn by the streams."""

    host: str
    port: int
    headers: list[dict[str, str]]
    streams: int
    pace_s: float = 0.03
    ramp_s: float = 1.0
    """Time over which the streams are opened, evenly."""
    settle_s: float = 1.0
    window_s: float = 4.0
    spare_s: float = 1.0
    """Time from the window's end to the streams' ends, for those that opened late."""
    grace_s: float = 4.0
    """Timeouts with streams that end later than they should."""
    open_timeout_s: float = 60.0
    exact: bool = True
    """Whether each event of the upstream must arrive as one event."""

    def opens_at_s(self, number: int) -> float:
        """When stream `number` is opened, in seconds after the first."""
        return self.ramp_s * number / self.streams

    def events(self, number: int) -> int:
        """Events of stream `number`: all streams last until shortly after the window."""
        end_s = self.ramp_s + self.settle_s + self.window_s + self.spare_s
        return max(3, math.ceil((end_s - self.opens_at_s(number)) / self.pace_s))

    def request(self, number: int) -> bytes:
        """The bytes of the request that opens stream `number`."""
        body = completion_body(events=self.events(number), pace_ms=self.pace_s * 1000)
        headers = {
            "host": f"{self.host}:{self.port}",
            "content-type": "application/json",
            "accept": "text/event-stream",
            "content-length": str(len(body)),
        } | self.headers[number % len(self.headers)]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /v1/chat/completions HTTP/1.1\r\n{lines}\r\n".encode() + body


@dataclass
class Result:
    """What the streams showed. Times are seconds; `gaps` are those within the window."""

    streams: int
    still_open: int
    """Streams that were open at the window's end."""
    finished: int
    """Streams that came to their proper end."""
    events: int
    """Events in the window."""
    window_s: float
    first_event_p50_s: float
    first_event_p99_s: float
    largest_gap_s: float
    gap_p99_s: float
    errors: dict[str, int] = field(default_factory=dict)
    sample: str = ""
    """What came with the first error."""


class Crowd:
    """All streams of an order."""

    def __init__(self, order: Order, announce: Announce) -> None:
        self.order = order
        self.loop = asyncio.get_running_loop()
        self.waiting = order.streams
        self.running = order.streams
        self.finished = 0
        self.events = 0
        self.gaps: array[float] | None = None
        self.errors: dict[str, int] = {}
        self.sample = ""
        self.first_event_s = array("d")
        self.all_open = asyncio.Event()
        self.all_over = asyncio.Event()
        self._announce = announce
        self._protocols: list[Stream] = []

    async def run(self) -> Result:
        """Open the streams, look at them for the window, and wait for their ends."""
        order = self.order
        opening = asyncio.create_task(self._open())
        await _wait(self.all_open, order.open_timeout_s)
        await opening
        if self.waiting:
            self.errors["never_began"] = self.waiting
        self._announce("open", self.events)
        await asyncio.sleep(order.settle_s)
        self.gaps = array("d")
        started, first = perf_counter(), self.events
        self._announce("start", self.events)
        await asyncio.sleep(order.window_s)
        self._announce("end", self.events)
        window, events = perf_counter() - started, self.events - first
        gaps, self.gaps = sorted(self._with_open_gaps(self.gaps)), None
        still_open = self.running
        await _wait(self.all_over, order.spare_s + order.pace_s + order.grace_s)
        for protocol in self._protocols:
            protocol.abort()
        beginnings = sorted(self.first_event_s)
        return Result(
            streams=order.streams,
            still_open=still_open,
            finished=self.finished,
            events=events,
            window_s=window,
            first_event_p50_s=_at(beginnings, 0.5),
            first_event_p99_s=_at(beginnings, 0.99),
            largest_gap_s=_at(gaps, 1),
            gap_p99_s=_at(gaps, 0.99),
            errors=self.errors,
            sample=self.sample,
        )

    async def _open(self) -> None:
        began = self.loop.time()
        for number in range(self.order.streams):
            due = began + self.order.opens_at_s(number)
            if due > self.loop.time():
                await asyncio.sleep(due - self.loop.time())
            stream = Stream(self, number)
            self._protocols.append(stream)
            try:
                await self.loop.create_connection(
                    lambda stream=stream: stream,  # type: ignore[misc]
                    self.order.host,
                    self.order.port,
                )
            except OSError as error:
                self.over(f"connect_{type(error).__name__}", began=False)

    def _with_open_gaps(self, gaps: "array[float]") -> "array[float]":
        """A stream that is silent at the window's end has a gap too: up to now."""
        now = perf_counter()
        gaps.extend(now - x.last_at for x in self._protocols if x.events and not x.is_over)
        return gaps

    def began(self, after_s: float) -> None:
        """A stream had its first event, so many seconds after its request."""
        self.first_event_s.append(after_s)
        self._no_longer_waiting()

    def over(self, error: str | None, *, began: bool, seen: bytes = b"") -> None:
        """A stream is at its end, good or bad."""
        if error is None:
            self.finished += 1
        else:
            self.errors[error] = self.errors.get(error, 0) + 1
            self.sample = self.sample or seen[-500:].decode("latin-1")
        if not began:
            self._no_longer_waiting()
        self.running -= 1
        if self.running == 0:
            self.all_over.set()

    def _no_longer_waiting(self) -> None:
        self.waiting -= 1
        if self.waiting == 0:
            self.all_open.set()


class Stream(asyncio.Protocol):
    """One connection with one stream."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd = crowd
        self._number = number
        self._transport: asyncio.Transport | None = None
        self._tail = b""
        self._asked_at = 0.0
        self.last_at = 0.0
        self.events = 0
        self.is_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._asked_at = perf_counter()
        transport.write(self._crowd.order.request(self._number))

    def data_received(self, data: bytes) -> None:
        if self.is_over:
            return
        if not self._tail and not data.startswith(b"HTTP/1.1 200"):
            self._end("status_" + data[9:12].decode("latin-1"), data)
            return
        # An event ends with an empty line, which may come in two pieces.
        events = data.count(b"\n\n") + (data[:1] == b"\n" == self._tail[-1:])
        seen = self._tail + data
        self._tail = seen[-6:]
        if events:
            self._count(events)
        if b'"error"' in data:
            self._end("error_event", data)
        elif b"[DONE]" in seen:
            order = self._crowd.order
            lost = order.exact and self.events != order.events(self._number) + ENDING_EVENTS
            self._end("events_lost" if lost else None)

    def _count(self, events: int) -> None:
        crowd = self._crowd
        now = perf_counter()
        if self.events == 0:
            crowd.began(now - self._asked_at)
        elif crowd.gaps is not None:
            crowd.gaps.append(now - self.last_at)
        self.last_at = now
        self.events += events
        crowd.events += events

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_over:
            self._end("connection_lost")

    def abort(self) -> None:
        """End without waiting for the stream's end."""
        self.is_over = True
        if self._transport is not None:
            self._transport.abort()

    def _end(self, error: str | None, seen: bytes = b"") -> None:
        self._crowd.over(error, began=self.events > 0, seen=seen)
        self.abort()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


async def run(order: Order, announce: Announce) -> Result:
    """Run a stream order, calling `announce` at each milestone."""
    return await Crowd(order, announce).run()


def _print_line(at: str, events: int) -> None:
    print(json.dumps({"at": at, "events": events}), flush=True)


if __name__ == "__main__":
    outcome = uvloop.run(run(Order(**json.load(sys.stdin)), _print_line))
    print(json.dumps({"at": "result"} | dataclasses.asdict(outcome)), flush=True)
