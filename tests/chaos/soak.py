"""Run mixed traffic with faults for some time; check memory, errors and counts at the end.

python -m tests.chaos.soak --seconds 1800

Clients request completions, streams and uploads, send invalid JSON or no key, and disconnect
before and after the first byte. The upstream fails, hangs up and refuses as each request says.
From time to time another program holds the database's lock briefly.
"""

import argparse
import asyncio
import contextlib
import random
import re
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx2 as httpx

from tests.conftest import Server, start_server

CALLERS = 24
KEYS = 3
REPORT_EVERY_S = 10.0
LOCKED_S = 0.2
GROWTH_BYTES = 12 * 1024 * 1024
"""Growth of resident memory between the medians of the first and last quarter that is no leak."""
SETTINGS = """
[[plans]]
id = "plenty"
name = "Plenty"
requests_per_day = 100000000
"""

EVENT = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"
BODY = b'{"usage": {"prompt_tokens": 3, "completion_tokens": 4}}'

# Kind of request → its frequency, whether it counts, and the status (None: the client has
# disconnected, or the response is truncated).
WANTS: dict[str, tuple[int, bool, int | None]] = {
    "answer": (40, True, 200),
    "stream": (20, True, 200),
    "upload": (5, True, 200),
    "bad request": (4, True, 400),
    "busy": (4, False, 429),
    "fault": (4, False, 500),
    "hang up": (4, False, 502),
    "garbage": (2, False, 502),
    "refuse the operator": (2, False, 502),
    "break a stream": (4, True, 200),
    "break an answer": (2, True, None),
    "leave before the answer": (3, True, None),
    "leave in mid-stream": (4, True, None),
    "no JSON": (2, False, 400),
    "no key": (2, False, 401),
    "models": (2, False, 200),
}
OURS = {"internal_error", "quota_unavailable"}


class Upstream:
    """An upstream that treats each request as its header `x-want` says."""

    def __init__(self) -> None:
        self.arrived: dict[str, asyncio.Event] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = (OSError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*gone):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        want, _, number = _header(head, b"x-want").partition("#")
        if number in self.arrived:
            self.arrived[number].set()
        statuses = {"bad request": 400, "busy": 429, "fault": 500, "refuse the operator": 401}
        match want:
            case "stream" | "leave in mid-stream" | "break a stream":
                writer.write(HEAD + CHUNK)
                for _ in range(random.randint(1, 20)):
                    await asyncio.sleep(0.01)
                    writer.write(CHUNK)
                    await writer.drain()
                if want == "break a stream":
                    return False
                if want == "leave in mid-stream":
                    await reader.read()
                writer.write(b"0\r\n\r\n")
            case "hang up":
                return False
            case "garbage":
                writer.write(random.randbytes(200))
                return False
            case "break an answer":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
                return False
            case "leave before the answer":
                await reader.read()
            case _:
                await asyncio.sleep(random.uniform(0, 0.02))
                status = statuses.get(want, 200)
                writer.write(
                    b"HTTP/1.1 %d Said\r\ncontent-length: %d\r\n\r\n%b" % (status, len(BODY), BODY)
                )
        return True


def _header(head: bytes, name: bytes) -> str:
    found = re.search(rb"\r\n" + name + rb": ([^\r]*)", head)
    return found[1].decode() if found else ""


class Soak:
    """Clients of one server, and the responses that they received."""

    def __init__(self, server: Server, upstream: Upstream, keys: list[str]) -> None:
        self.server = server
        self.upstream = upstream
        self.keys = keys
        self.counted: Counter[str] = Counter()
        """By key: the number of requests that must be counted."""
        self.asked: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.wrong: Counter[str] = Counter()
        self.resident: list[int] = []
        self._number = 0

    async def call_until(self, end: float) -> None:
        names = list(WANTS)
        weights = [weight for weight, _, _ in WANTS.values()]
        while time.monotonic() < end:
            # Connections are kept alive for a while, as by real clients.
            async with httpx.AsyncClient(base_url=self.server.url, timeout=30) as client:
                for want in random.choices(names, weights, k=20):
                    await self._call(client, want, random.choice(self.keys))

    async def _call(self, client: httpx.AsyncClient, want: str, key: str) -> None:
        _, counts, expected = WANTS[want]
        self._number += 1
        number = str(self._number)
        arrived = self.upstream.arrived[number] = asyncio.Event()
        self.asked[want] += 1
        self.counted[key] += counts
        try:
            leaving = want if want.startswith("leave") else ""
            status, code = await self._ask(client, want, number, key, leaving, arrived)
        except httpx.TransportError:
            status, code = None, ""
        finally:
            del self.upstream.arrived[number]
        if status is not None:
            self.statuses[status] += 1
        if status != expected or code in OURS:
            self.wrong[f"{want}: {status} {code}"] += 1

    async def _ask(
        self,
        client: httpx.AsyncClient,
        want: str,
        number: str,
        key: str,
        leaving: str,
        arrived: asyncio.Event,
    ) -> tuple[int | None, str]:
        headers = {"x-want": f"{want}#{number}", "x-api-key": key}
        content: bytes = b'{"model": "m"}'
        kind, path, method = "application/json", "/v1/chat/completions", "POST"
        match want:
            case "upload":
                content = random.randbytes(200_000)
                kind = "multipart/form-data; boundary=b"
            case "no JSON":
                content = b'{"model": '
            case "no key":
                headers["x-api-key"] = key[:-1] + "!"
            case "models":
                content, path, method = b"", "/v1/models", "GET"
        request = client.build_request(
            method, path, content=content, headers=headers | {"content-type": kind}
        )
        if leaving == "leave before the answer":
            sending = asyncio.create_task(client.send(request))
            await asyncio.wait_for(arrived.wait(), 20)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            return None, ""
        response = await client.send(request, stream=True)
        try:
            if leaving:
                async for _ in response.aiter_raw():
                    return None, ""
            body = await response.aread()
        finally:
            await response.aclose()
        if want == "break a stream" and (b"upstream_broke_off" not in body or b"[DONE]" in body):
            self.wrong["a broken stream that looks whole"] += 1
        is_error = response.status_code >= 400 and b'"code"' in body
        return response.status_code, response.json()["error"]["code"] if is_error else ""

    async def lock_until(self, end: float) -> None:
        """Hold the database's write lock briefly, from time to time."""
        while time.monotonic() < end:
            await asyncio.sleep(random.uniform(1, 4))
            with contextlib.suppress(sqlite3.OperationalError):
                await asyncio.to_thread(self._lock)

    def _lock(self) -> None:
        path = self.server.data_dir / "daypass.db"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            time.sleep(LOCKED_S)
            blocker.execute("ROLLBACK")

    async def report_until(self, end: float) -> None:
        began = time.monotonic()
        while time.monotonic() < end:
            await asyncio.sleep(min(REPORT_EVERY_S, max(0.1, end - time.monotonic())))
            self.resident.append(self._resident_bytes())
            print(
                f"{time.monotonic() - began:5.0f} s  {self.asked.total():8,} requests  "
                f"{self.resident[-1] / 2**20:6.1f} MiB  {self._descriptors():4} descriptors  "
                f"wrong: {dict(self.wrong) or 'none'}",
                flush=True,
            )

    def _resident_bytes(self) -> int:
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024

    def _descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.server.process.pid}/fd").iterdir()))

    def verdict(self) -> list[str]:
        """Return the findings that must not occur."""
        found = [f"{what} ({times} times)" for what, times in self.wrong.items()]
        for key in self.keys:
            described = self.server.gateway(key).get("/v1/key").json()
            used = described["limits"][0]["used"]
            if used != self.counted[key]:
                found.append(f"counted {used} of {self.counted[key]} requests of a key")
        quarter = max(1, len(self.resident) // 4)
        first = statistics.median(self.resident[quarter : 2 * quarter] or self.resident)
        last = statistics.median(self.resident[-quarter:])
        print(f"memory: {first / 2**20:.1f} MiB after a quarter, {last / 2**20:.1f} MiB at the end")
        if last - first > GROWTH_BYTES:
            found.append("memory grew")
        if any(word in self.server.log() for word in ("Traceback", "gateway_fault")):
            found.append("a fault in the log")
        return found


async def soak(server: Server, upstream: Upstream, seconds: float) -> list[str]:
    """Run the traffic and return the findings."""
    person = server.sign_up()
    keys = [person.create_key("plenty", f"key {n}")["key"] for n in range(KEYS)]
    run = Soak(server, upstream, keys)
    end = time.monotonic() + seconds
    await asyncio.gather(
        *(run.call_until(end) for _ in range(CALLERS)), run.lock_until(end), run.report_until(end)
    )
    await asyncio.sleep(2)
    print(f"asked for: {dict(run.asked.most_common())}")
    print(f"statuses: {dict(sorted(run.statuses.items()))}")
    print(f"counted: {sum(run.counted.values()):,} over {KEYS} keys")
    return run.verdict()


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1800)
    seconds = parser.parse_args().seconds
    upstream = Upstream()
    listener = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "daypass.toml").write_text(SETTINGS)
        server = start_server(
            Path(directory), DAYPASS_UPSTREAM_BASE_URL=f"http://127.0.0.1:{port}/v1"
        )
        try:
            wrong = await soak(server, upstream, seconds)
        finally:
            server.stop()
            listener.close()
    print("wrong: " + ("; ".join(wrong) or "nothing"))
    return len(wrong)


if __name__ == "__main__":
    raise SystemExit(min(1, asyncio.run(main())))
