"""Several processes that share one Daypass site."""

import inspect
from concurrent.futures import ThreadPoolExecutor

import pytest
from uvicorn import Config

from daypass.app.factory import create_app
from daypass.config.settings import Settings
from tests.conftest import StartServer, daypass
from tests.support.upstream import FakeUpstream
from tests.support.waiting import BUSY_S
from tests.support.workers import refused_after, warm


def test_workers_share_sessions_keys_and_limits(start: StartServer, upstream: FakeUpstream) -> None:
    server = start("--workers", "3", DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    person = server.sign_up()
    key = person.create_key("30RequestPerDay")["key"]

    def call(_number: int) -> int:
        # Use a new connection each time: any worker may accept it.
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
        assert refused_after(server, created["key"]) < 1 + BUSY_S


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(public_url="https://keys.example.org"),
        Settings(cors_origins="https://app.example.org"),  # type: ignore[arg-type]
    ],
)
def test_the_application_is_detected_as_asgi_3(settings: Settings) -> None:
    app = create_app(settings)
    config = Config(app, log_config=None)
    config.load()
    assert config.interface == "asgi3"
    # The detection that Hypercorn and asgiref use.
    assert inspect.iscoroutinefunction(type(app).__call__)
