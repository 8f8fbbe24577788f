"""A server between misbehaving clients and a misbehaving upstream, checked for leaks."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.conftest import Server, start_server
from tests.faults.upstream import RawUpstream
from tests.faults.wire import FaultyWire

PLANS = """
[[plans]]
id = "plenty"
name = "Plenty"
requests_per_day = 1000000
"""
SILENCE_S = 1.2
"""The server's upstream timeout; it may take up to half a second longer."""
CALL_S = 3
"""The timeout for a whole response."""


@dataclass
class Scene:
    """A server, its upstream and wire, and an API key."""

    server: Server
    upstream: RawUpstream
    wire: FaultyWire
    key: str
    counted: int = 0
    """Requests of this test that must be counted in the end."""

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def post(self, **options: object) -> httpx.Response:
        """Request a chat completion on a new connection."""
        with self.server.gateway(self.key) as api:
            chat = {"json": {"model": "m"}} if "content" not in options else {}
            return api.post("/v1/chat/completions", **chat, **options)  # type: ignore[arg-type]

    def request(self, *headers: str, body: bytes = b'{"model":"m"}') -> bytes:
        """Return a chat completion request as bytes, for a socket."""
        lines = [
            "POST /v1/chat/completions HTTP/1.1", "host: x", f"x-api-key: {self.key}",
            "content-type: application/json", f"content-length: {len(body)}", *headers, "", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode() + body

    def used(self) -> int:
        with self.server.gateway(self.key) as api:
            count: int = api.get("/v1/key").json()["limits"][0]["used"]
        return count

    def resident_bytes(self) -> int:
        """Return the server's resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024

    def holds(self) -> dict[str, float]:
        """Return the resources that the server holds."""
        with self.server.client() as client:
            text = client.get("/metrics").text
        found = re.findall(r"^daypass_(open_requests|tasks) (\S+)$", text, re.MULTILINE)
        held = {name: float(number) for name, number in found}
        held["descriptors"] = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        held["to the upstream"] = self.wire.open_connections
        assert len(held) == 4
        return held


@pytest.fixture(scope="session")
def faulty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server that reaches its upstream over a faulty wire."""
    directory = tmp_path_factory.mktemp("faults")
    (directory / "daypass.toml").write_text(PLANS)
    upstream = RawUpstream()
    upstream.start()
    wire = FaultyWire(upstream.port)
    wire.start()
    server = start_server(
        directory,
        DAYPASS_EXTRA_PATHS="raw",
        # Otherwise ambiguous forms, whose end is tested here, would be refused.
        DAYPASS_STORED_OBJECTS="shared",
        DAYPASS_UPSTREAM_BASE_URL=f"http://127.0.0.1:{wire.port}/v1",
        DAYPASS_UPSTREAM_API_KEY="sk-the-operators-own",
        DAYPASS_CONNECT_TIMEOUT_S="1",
        DAYPASS_READ_TIMEOUT_S=str(SILENCE_S),
        DAYPASS_CALL_TIMEOUT_S=str(CALL_S),
    )
    person = server.sign_up()
    scene = Scene(server, upstream, wire, person.create_key("plenty")["key"])
    # Opened once and kept: connections to the database.
    with ThreadPoolExecutor(20) as pool:
        for answered in [pool.submit(person.http.get, "/api/api-keys") for _ in range(60)]:
            answered.result()
    person.http.close()
    yield scene
    server.stop()
    wire.stop()
    upstream.stop()


@pytest.fixture
def scene(faulty_server: Scene) -> Iterator[Scene]:
    """The server. It must hold no more resources after the test, and counts must match."""
    scene = faulty_server
    scene.upstream.behave()
    scene.wire.fault = None
    scene.counted = 0
    used = scene.used()
    logged = len(scene.server.log())
    before = at_rest(scene)
    yield scene
    scene.wire.fault = None
    deadline = time.monotonic() + 6
    while more_than(after := scene.holds(), before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not more_than(after, before), f"{after}, and before {before}"
    assert scene.used() - used == scene.counted
    log = scene.server.log()[logged:]
    assert "Traceback" not in log
    assert "gateway_fault" not in log
    assert "sk-the-operators-own" not in log
    assert scene.key not in log


def at_rest(scene: Scene) -> dict[str, float]:
    """Return the resources that an idle server holds."""
    held = scene.holds()
    for _ in range(100):
        time.sleep(0.02)
        before, held = held, scene.holds()
        if held == before:
            break
    return held


def more_than(held: dict[str, float], before: dict[str, float]) -> bool:
    return any(held[name] > before[name] for name in before)
