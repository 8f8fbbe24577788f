"""Several processes of one Daypass."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx

from tests.conftest import Server, StartServer, daypass
from tests.upstream import FakeUpstream


def test_workers_share_sessions_keys_and_limits(start: StartServer, upstream: FakeUpstream) -> None:
    server = start("--workers", "3", DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    person = server.sign_up()
    key = person.create_key("30RequestPerDay")["key"]

    def call(_number: int) -> int:
        # A connection of its own each time: any of the workers may take it.
        with server.gateway(key) as api:
            return api.post("/v1/embeddings", json={}).status_code

    with ThreadPoolExecutor(64) as pool:
        statuses = list(pool.map(call, range(80)))
    assert statuses.count(200) == 30
    assert statuses.count(429) == 50
    assert len(upstream.seen) == 30
    for _ in range(8):
        with server.client(cookies=dict(person.http.cookies)) as browser:
            assert browser.get("/api/session").status_code == 200
            assert browser.get("/api/api-keys").json()[0]["used"] == 30


def refused_after(api: "Anew") -> float:
    """Seconds until a key that has just been revoked is refused 20 times in a row."""
    began = time.monotonic()
    last_admitted = began
    refused = 0
    while refused < 20:
        if api.get("/v1/key").status_code == 200:
            last_admitted = time.monotonic()
            refused = 0
        else:
            refused += 1
    return last_admitted - began


def warm(server: Server, key: str) -> None:
    """Let every worker remember the key."""
    for _ in range(12):
        with server.gateway(key) as api:
            assert api.get("/v1/key").status_code == 200


class Anew:
    """A client whose every call is a connection of its own."""

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._key = key

    def get(self, path: str) -> httpx.Response:
        with self._server.gateway(self._key) as api:
            return api.get(path)


def test_a_revoked_key_is_refused_by_every_worker_within_a_second(start: StartServer) -> None:
    server = start("--workers", "2")
    person = server.sign_up()
    for act in ("delete", "rotate", "disable"):
        created = person.create_key()
        warm(server, created["key"])
        path = f"/api/api-keys/{created['id']}"
        if act == "delete":
            assert person.http.delete(path).status_code == 204
        elif act == "disable":
            settings = {"DAYPASS_DATA_DIR": str(server.data_dir)}
            assert daypass("accounts", "disable", person.email, **settings).returncode == 0
        else:
            assert person.http.post(f"{path}/rotate").status_code == 200
        assert refused_after(Anew(server, created["key"])) < 1
