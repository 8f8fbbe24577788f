"""Connecting to a host with several addresses, some of which may not respond.

RFC 8305 ("Happy Eyeballs"): addresses of the two families alternate (section 4). The next one is
tried when the previous one has failed or has not answered within 250 ms (section 5).
"""

import asyncio
import contextlib
import socket
from collections import deque
from itertools import chain, zip_longest
from typing import Any, NamedTuple

NEXT_AFTER_S = 0.25


class Address(NamedTuple):
    """An address as returned by getaddrinfo."""

    family: int
    place: tuple[Any, ...]
    """Host and port; for IPv6 also flow info and scope ID."""


async def connect_first(addresses: list[Address]) -> tuple[Address, socket.socket]:
    """Return the first address that accepts a connection, and the connected socket.

    If all fail, raises the OSError of the last failure.
    """
    waiting = deque(_by_turns(addresses))
    attempts: dict[asyncio.Task[socket.socket], Address] = {}
    failure: BaseException = OSError("the host has no address")
    try:
        while waiting or attempts:
            if waiting:
                address = waiting.popleft()
                attempts[asyncio.create_task(_connect(address))] = address
            delay = NEXT_AFTER_S if waiting else None
            done, _ = await asyncio.wait(
                attempts, timeout=delay, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in done:
                error = attempt.exception()
                if error is None:
                    return attempts.pop(attempt), attempt.result()
                failure = error
                del attempts[attempt]
    finally:
        for attempt in attempts:
            _abandon(attempt)
    raise failure


def _by_turns(addresses: list[Address]) -> list[Address]:
    """Return the addresses with alternating families, starting with that of the first."""
    family = addresses[0].family if addresses else 0
    first = [x for x in addresses if x.family == family]
    others = [x for x in addresses if x.family != family]
    turns = chain.from_iterable(zip_longest(first, others))
    return [address for address in turns if address is not None]


async def _connect(address: Address) -> socket.socket:
    connection = socket.socket(address.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, address.place)
    except BaseException:
        connection.close()
        raise
    return connection


def _abandon(attempt: asyncio.Task[socket.socket]) -> None:
    """Cancel an attempt, or close its connection if it has just succeeded."""
    if not attempt.cancel():
        with contextlib.suppress(OSError, asyncio.CancelledError):
            attempt.result().close()
