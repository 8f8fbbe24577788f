"""Run `daypass` and kill it (SIGKILL) at a named point of the first request that it counts.

python tests/chaos/dying.py POINT serve --port 8000 …
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from daypass.cli.commands import main
from daypass.gateway.charge import Charge
from daypass.upstreams.connection import HttpResponse
from daypass.upstreams.http import HttpUpstream

UPSTREAM_SEES_IT_S = 0.3


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def after(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a function that awaits `work` and then dies."""

    async def wrapped(*arguments: Any) -> None:
        await work(*arguments)
        die()

    return wrapped


async def open_and_die(upstream: HttpUpstream, *arguments: Any) -> None:
    opening = asyncio.ensure_future(OPEN(upstream, *arguments))
    await asyncio.sleep(UPSTREAM_SEES_IT_S)
    die(opening)


async def read_once(response: HttpResponse) -> bytes:
    HttpResponse.read = die  # type: ignore[method-assign]
    return await READ(response)


def close_and_die(charge: Charge, *arguments: Any) -> None:
    CLOSE(charge, *arguments)
    die()


OPEN, READ, CLOSE = HttpUpstream.open, HttpResponse.read, Charge.close
POINTS: dict[str, tuple[type, str, Callable[..., Any]]] = {
    "before reserve": (Charge, "take", die),
    "after reserve": (Charge, "take", after(Charge.take)),
    "at the upstream": (HttpUpstream, "open", open_and_die),
    "in mid-stream": (HttpResponse, "read", read_once),
    "before give-back": (Charge, "give_back", die),
    "after give-back": (Charge, "give_back", after(Charge.give_back)),
    "before settle": (Charge, "close", die),
    "after settle": (Charge, "close", close_and_die),
}

if __name__ == "__main__":
    owner, method, replacement = POINTS[sys.argv.pop(1)]
    setattr(owner, method, replacement)
    main()
