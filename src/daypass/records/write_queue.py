"""The queue in which transactions wait before their deadline starts."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class QueueStalledError(Exception):
    """The database has stopped answering the transactions ahead in the queue."""


class WriteQueue:
    """Lets a few transactions run at a time, first come, first served.

    SQLite has one writer at a time, and lets the others poll for its lock in no order: a hundred
    at once would miss their deadlines there. Transactions that wait here are served as long as
    the database serves those ahead of them.
    """

    def __init__(self, at_once: int, stalled_after_s: float) -> None:
        """`stalled_after_s`: seconds without a finished turn before the queue is stalled."""
        self._free = at_once
        self._stalled_after_s = stalled_after_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._served = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises QueueStalledError."""
        if self._free:
            self._free -= 1
        else:
            await self._wait()
        try:
            yield
        finally:
            self._served += 1
            self._pass_on()

    def fail(self) -> None:
        """Fail all waiting transactions: the database did not answer the one whose turn it was."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(QueueStalledError)

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            while not turn.done():
                served = self._served
                await asyncio.wait({turn}, timeout=self._stalled_after_s)
                if not turn.done() and served == self._served:
                    turn.set_exception(QueueStalledError)
            turn.result()
        except asyncio.CancelledError:
            if not turn.cancel() and turn.exception() is None:
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return
        self._free += 1
