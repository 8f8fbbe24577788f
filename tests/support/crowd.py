"""Many callers at once, over raw sockets, from a process of their own so that they cannot slow
down the measurement. `python -m tests.support.crowd probe|sign-ups|sign-ins URL …` prints JSON."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.talk import is_whole

PROBES = 4
PAUSE_S = 0.01
"""Pause between the requests of one probing connection, in seconds."""


@dataclass
class Crowd:
    """The outcome of requests that were sent at once."""

    statuses: Counter[int]
    seconds: float
    """Seconds until the last response."""
    retry_after: list[str]
    """`Retry-After` of the refusals."""


def probe(url: str, key: str) -> subprocess.Popen[str]:
    """Start calling the gateway steadily. `latencies` stops it and returns the latencies."""
    command = [sys.executable, "-m", "tests.support.crowd", "probe", url, key]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def latencies(probing: subprocess.Popen[str]) -> list[float]:
    """Stop probing and return the sorted latencies of the requests, in seconds."""
    printed, _ = probing.communicate("stop\n", timeout=60)
    return sorted(json.loads(printed))


def percentile(values: list[float], share: float) -> float:
    """Return the value at this quantile of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))]


def sign_ups(url: str, emails: list[str], password: str, address: str | None = None) -> Crowd:
    """Sign up all of them at once; `address` is the client address that a proxy reports."""
    bodies = [{"email": email, "password": password} for email in emails]
    return post_at_once(url, "/api/accounts", bodies, address)


def post_at_once(
    url: str, path: str, bodies: list[dict[str, str]], address: str | None = None
) -> Crowd:
    """Post all these bodies at once, each on its own connection."""
    asked = {"url": url, "path": path, "bodies": bodies, "address": address}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.crowd", "post"],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        timeout=180,
        check=True,
    )
    result = json.loads(ended.stdout)
    return Crowd(Counter(result["statuses"]), result["seconds"], result["retry_after"])


async def _exchange(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes
) -> bytes:
    reader, writer = streams
    writer.write(request)
    answer = b""
    while not is_whole(answer):
        piece = await reader.read(65_536)
        if not piece:
            break
        answer += piece
    return answer


async def _probe(url: str, key: str) -> None:
    parts = urlsplit(url)
    body = b'{"model": "m", "input": "x"}'
    request = (
        f"POST /v1/embeddings HTTP/1.1\r\nhost: {parts.netloc}\r\nx-api-key: {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body
    taken: list[float] = []
    is_over = asyncio.Event()

    async def call() -> None:
        streams = await asyncio.open_connection(parts.hostname, parts.port)
        while not is_over.is_set():
            began = time.perf_counter()
            answer = await _exchange(streams, request)
            taken.append(time.perf_counter() - began)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:300]
            await asyncio.sleep(PAUSE_S)
        streams[1].close()

    calls = [asyncio.create_task(call()) for _ in range(PROBES)]
    print("started", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    is_over.set()
    await asyncio.gather(*calls)
    print(json.dumps(taken))


async def _post(asked: dict[str, Any]) -> None:
    parts = urlsplit(asked["url"])
    via = f"x-forwarded-for: {asked['address']}\r\n" if asked["address"] else ""
    streams = [
        await asyncio.open_connection(parts.hostname, parts.port)
        for _ in range(len(asked["bodies"]))
    ]
    requests = []
    for content in asked["bodies"]:
        body = json.dumps(content).encode()
        head = (
            f"POST {asked['path']} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
            f"origin: {asked['url']}\r\n{via}"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    began = time.perf_counter()
    answers = await asyncio.gather(*map(_exchange, streams, requests))
    seconds = time.perf_counter() - began
    heads = [answer.partition(b"\r\n\r\n")[0].decode().lower() for answer in answers]
    retry_after = [
        line.partition(":")[2].strip()
        for head in heads
        for line in head.split("\r\n")
        if line.startswith("retry-after:")
    ]
    statuses = [int(head.split(" ")[1]) if head else 0 for head in heads]
    print(json.dumps({"statuses": statuses, "seconds": seconds, "retry_after": retry_after}))


if __name__ == "__main__":
    if sys.argv[1] == "probe":
        asyncio.run(_probe(sys.argv[2], sys.argv[3]))
    else:
        asyncio.run(_post(json.load(sys.stdin)))
