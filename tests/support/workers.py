"""What the worker processes of a server know: each call is a connection of its own, which any of
them may take."""

import time
from collections.abc import Callable

import httpx2 as httpx

from tests.conftest import Server


def look(server: Server, key: str) -> httpx.Response:
    """Return one worker's report on a key."""
    with server.gateway(key) as api:
        return api.get("/v1/key")


def warm(server: Server, key: str) -> None:
    """Make every worker cache a key."""
    for _ in range(12):
        assert look(server, key).status_code == 200


def known_after(is_known: Callable[[], bool]) -> float:
    """Return the seconds until something is known 20 times in a row."""
    began = last_unknown = time.monotonic()
    known = 0
    while known < 20:
        if is_known():
            known += 1
        else:
            known, last_unknown = 0, time.monotonic()
    return last_unknown - began


def refused_after(server: Server, key: str) -> float:
    """Return the seconds until all workers refuse a key that has just been revoked."""
    return known_after(lambda: look(server, key).status_code != 200)
