"""Waits until API Gateway admits a new key, which takes a few seconds."""

import asyncio
import time

import urllib3

PATIENCE_S = 60.0
PAUSE_S = 2.0
ANSWER_S = 10.0


async def is_admitted(base_url: str, secret: str, patience_s: float = PATIENCE_S) -> bool:
    """Wait until the stage admits a key. Return False if it does not within `patience_s` seconds.

    The admitted call counts, as every call with a key does.
    """
    deadline = time.monotonic() + patience_s
    with urllib3.PoolManager(timeout=ANSWER_S, retries=False) as http:
        while True:
            if await asyncio.to_thread(_ask, http, base_url, secret) not in (None, 401, 403):
                return True
            if time.monotonic() + PAUSE_S > deadline:
                return False
            await asyncio.sleep(PAUSE_S)


def _ask(http: urllib3.PoolManager, base_url: str, secret: str) -> int | None:
    """Return the status of `GET /key`, or None without an answer."""
    try:
        return http.request("GET", f"{base_url}/key", headers={"x-api-key": secret}).status
    except urllib3.exceptions.HTTPError:
        return None
