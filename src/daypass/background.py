"""Helpers to cancel background tasks and to wait with a timeout."""

import asyncio
import contextlib
from collections.abc import Iterable

CANCEL_AGAIN_S = 0.1


async def end(tasks: Iterable["asyncio.Task[object]"]) -> None:
    """Cancel tasks and wait until all have ended, ignoring their results and exceptions.

    Before Python 3.12, `asyncio.wait_for` drops a cancellation that arrives in the loop iteration
    in which its task completes (https://github.com/python/cpython/issues/86296). Client libraries
    of the stores use it, so the cancellation is repeated.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        ended, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
        for task in ended:
            if not task.cancelled():
                task.exception()  # Avoid asyncio's "exception was never retrieved" message.


async def wait_at_most(seconds: float, event: asyncio.Event) -> None:
    """Wait until the event is set or the timeout expires.

    Unlike `asyncio.wait_for`, this never drops a cancellation.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
