"""Work that runs in the background: pausing and ending it."""

import asyncio
import contextlib
from collections.abc import Iterable

CANCEL_AGAIN_S = 0.1


async def end(tasks: Iterable["asyncio.Task[object]"]) -> None:
    """Cancel tasks and wait until they have ended, whatever they end with.

    Until Python 3.12 `asyncio.wait_for` drops a cancellation that arrives in the turn in which its
    work is done (https://github.com/python/cpython/issues/86296), and libraries that connect to
    stores use it. So the cancellation is repeated.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        ended, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
        for task in ended:
            if not task.cancelled():
                task.exception()  # Retrieved, so that it is not reported as forgotten.


async def wait_at_most(seconds: float, event: asyncio.Event) -> None:
    """Wait until the event is set or the time is over.

    Unlike `asyncio.wait_for` this drops no cancellation.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
