"""/api/operator/upstreams: upstreams created on the site, on both databases."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import psycopg
import pytest
from starlette.responses import JSONResponse, Response

from tests.conftest import Person, Server, StartServer, daypass, start_server
from tests.support.outputs import OUTPUTS
from tests.support.portal import problem
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.upstream import FakeUpstream, Seen, completion
from tests.support.waiting import BUSY_S, until

KEY = "sk-planted-on-the-site-0123456789abcd"
OTHER_KEY = "sk-planted-another-key-0123456789wxyz"
SECRET = "planted-first-secret-key-of-32-characters"
CHAT = {"model": "gpt-x", "messages": []}
TOML = """
[[upstreams]]
name = "fixed"
base_url = "http://127.0.0.1:{port}/v1"
models = ["fixed-*"]
"""
EMPTY = {"state": "closed", "requests": 0, "failures": 0, "last_failure": None}


def lists_and_chats(seen: Seen) -> Response:
    if seen.method == "GET":
        return JSONResponse({"data": [{"id": "text-embedding-3-small"}, {"id": "gpt-x"}]})
    return completion(seen)


@dataclass
class Site:
    """Two processes with one database."""

    server: Server
    second: Server
    operator: Person
    upstream: FakeUpstream
    stored: Callable[[], str]
    """Return the database's upstream rows as text."""
    execute: Callable[[str], None]
    """Run SQL in the database."""

    def api(self, method: str, path: str = "", **body: Any) -> httpx.Response:
        return self.operator.http.request(
            method, f"/api/operator/upstreams{path}", json=body or None
        )

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET").json()["upstreams"]
        return [x for x in found if x["source"] == "site"]

    def change_row(self, change: str, upstream_id: str) -> None:
        self.execute(f"UPDATE upstream SET {change} WHERE id = '{upstream_id}'")

    def create(self, **more: Any) -> dict[str, Any]:
        created = self.api("POST", **({"name": "mine", "base_url": self.upstream.base_url} | more))
        assert created.status_code == 201, created.text
        found: dict[str, Any] = created.json()
        return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    OUTPUTS.plant(KEY, OTHER_KEY, SECRET)
    directory = tmp_path_factory.mktemp("upstreams")
    settings = {"DAYPASS_SECRET_KEY": SECRET}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        url = postgres.create_database(f"test_{uuid4().hex}")
        settings["DAYPASS_DATABASE_URL"] = url
    upstream = FakeUpstream()
    upstream.start()
    (directory / "daypass.toml").write_text(TOML.format(port=free_port()))
    server = start_server(directory, **settings)
    operator = server.set_up()
    second = start_server(directory, "--join", **settings)

    def stored() -> str:
        if request.param == "postgresql":
            with psycopg.connect(url) as connection:
                rows = connection.execute("SELECT * FROM upstream, audit_entry").fetchall()
            return repr(rows)
        files = [x for x in (directory / "data").rglob("*") if x.is_file()]
        return "".join(x.read_bytes().decode("latin-1") for x in files)

    def execute(sql: str) -> None:
        if request.param == "postgresql":
            with psycopg.connect(url) as connection:
                connection.execute(sql.encode())
            return
        with contextlib.closing(sqlite3.connect(server.data_dir / "daypass.db")) as file, file:
            # SQLite has no type for JSON, and would read the text as a number.
            file.execute(sql.replace("AS json", "AS text"))

    yield Site(server, second, operator, upstream, stored, execute)
    for x in (server, second):
        x.stop()
    upstream.stop()


@pytest.fixture
def site(started: Site) -> Iterator[Site]:
    """The site without upstreams except that of its daypass.toml."""
    started.upstream.reply = lists_and_chats
    yield started
    for x in started.listed():
        assert started.api("DELETE", f"/{x['id']}").status_code == 204
    started.upstream.seen.clear()


def test_an_upstream_is_created_changed_and_deleted(site: Site) -> None:
    made = site.create(
        api_key=f" {KEY}\n", auth="x-api-key", aliases={"small": "gpt-x"}, priority=3
    )
    assert made == {
        "id": made["id"],
        "name": "mine",
        "base_url": site.upstream.base_url,
        "auth": "x-api-key",
        "models": [],
        "aliases": {"small": "gpt-x"},
        "weight": 1,
        "priority": 3,
        "measure_streams": True,
        "has_api_key": True,
        "key_last4": KEY[-4:],
        "source": "site",
        "place": None,
        "problem": None,
        "health": EMPTY,
    }
    assert site.listed() == [made]
    path = f"/{made['id']}"
    changed = site.api("PATCH", path, weight=5, models=["gpt-*"], measure_streams=False)
    assert changed.status_code == 200
    expected = made | {"weight": 5, "models": ["gpt-*"], "measure_streams": False}
    assert changed.json() == expected
    removed = site.operator.http.patch(f"/api/operator/upstreams{path}", json={"api_key": None})
    assert removed.json() == expected | {"has_api_key": False, "key_last4": None}
    assert site.api("DELETE", path).status_code == 204
    assert problem(site.api("DELETE", path)) == 404
    assert problem(site.api("PATCH", path, weight=1)) == 404
    log = site.operator.http.get("/api/operator/audit-log", params={"search": "mine"}).json()
    entries = [(x["action"], x["detail"]) for x in log[:4]]
    assert entries == [
        ("upstream deleted", ""),
        ("upstream changed", "changed: api_key"),
        ("upstream changed", "changed: measure_streams, models, weight"),
        ("upstream created", site.upstream.base_url),
    ]
    assert "planted" not in str(log)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "https://api.openai.com"}, "base_url"),
        ({"base_url": "http://u:p@x/v1"}, "base_url"),
        ({"base_url": "http://169.254.169.254/v1"}, "base_url"),
        ({"api_key": "two words"}, "api_key"),
        ({"api_key": ""}, "api_key"),
        ({"auth": "basic"}, "auth"),
        ({"weight": 0}, "weight"),
        ({"priority": -1}, "priority"),
        ({"models": [""]}, "models/0"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_invalid_upstream_fields_are_named(site: Site, change: dict[str, Any], field: str) -> None:
    new = {"name": "mine", "base_url": site.upstream.base_url} | change
    assert problem(site.api("POST", **new), field) == 422
    made = site.create()
    assert problem(site.api("PATCH", f"/{made['id']}", **change), field) == 422
    assert site.listed()[0]["base_url"] == made["base_url"]


def test_upstream_names_are_unique_and_configured_ones_are_read_only(site: Site) -> None:
    site.create()
    for name in ("mine", "fixed"):
        twice = site.api("POST", name=name, base_url="https://llm.example/v1")
        assert problem(twice, "name") == 409
    other = site.create(name="other")
    for name in ("mine", "fixed"):
        assert problem(site.api("PATCH", f"/{other['id']}", name=name), "name") == 409
    (fixed,) = [x for x in site.api("GET").json()["upstreams"] if x["source"] == "settings"]
    assert fixed["place"] == "daypass.toml line 2"
    for method, body in (("PATCH", {"weight": 2}), ("DELETE", {})):
        refused = site.api(method, f"/{fixed['id']}", **body)
        assert problem(refused) == 409
        assert "daypass.toml line 2" in refused.json()["detail"]


def test_a_site_has_a_bounded_number_of_upstreams(site: Site) -> None:
    for number in range(50):
        site.create(name=f"u{number}")
    assert problem(site.api("POST", name="u50", base_url=site.upstream.base_url)) == 409


def test_a_changed_upstream_takes_effect_everywhere_within_a_second(site: Site) -> None:
    key = site.server.sign_up().create_key("30RequestPerDay")["key"]
    soon = {"within_s": 1 + BUSY_S, "every_s": 0.4}
    with site.second.gateway(key) as api:

        def status() -> int:
            return api.post("/v1/chat/completions", json=CHAT).status_code

        until(lambda: status() == 404, **soon)  # daypass.toml's upstream does not serve it.
        made = site.create(api_key=KEY)
        until(lambda: status() == 200, **soon)
        assert site.upstream.seen[-1].headers["authorization"] == f"Bearer {KEY}"
        site.api("PATCH", f"/{made['id']}", auth="api-key", api_key=OTHER_KEY)

        def new_key() -> bool:
            assert status() == 200
            return site.upstream.seen[-1].headers.get("api-key") == OTHER_KEY

        until(new_key, **soon)
        site.api("DELETE", f"/{made['id']}")
        until(lambda: status() == 404, **soon)


def test_a_stored_upstream_key_is_not_sent_to_another_address(site: Site) -> None:
    """Neither a change of the address nor a test makes Daypass send it to another server."""
    made = site.create(api_key=KEY)
    evil = FakeUpstream()
    evil.start()
    try:
        for method, path in (("PATCH", f"/{made['id']}"), ("POST", "/test")):
            names = {"id": made["id"]} if path == "/test" else {}
            moved = site.api(method, path, base_url=evil.base_url, **names)
            assert problem(moved, "api_key") == 422
        assert evil.seen == []
        assert site.listed()[0]["base_url"] == made["base_url"]
        # It may move with a new key, or keep its key on the same server.
        assert site.api("PATCH", f"/{made['id']}", base_url=f"{site.upstream.url}/v2").is_success
        both = {"base_url": evil.base_url, "api_key": OTHER_KEY}
        assert site.api("PATCH", f"/{made['id']}", **both).is_success
        site.api("POST", "/test", id=made["id"])
        assert {x.headers["authorization"] for x in evil.seen} == {f"Bearer {OTHER_KEY}"}
    finally:
        evil.stop()


def test_testing_an_upstream_makes_real_calls_and_explains_failures(site: Site) -> None:
    here = site.upstream.base_url
    well = site.api("POST", "/test", base_url=here, api_key=KEY, auth="api-key").json()
    assert well.pop("latency_ms") >= 0
    models = ["text-embedding-3-small", "gpt-x"]
    assert well == {"ok": True, "problem": None, "models": models, "model_tried": "gpt-x"}
    asked = site.upstream.seen[-1]
    assert (asked.json()["model"], asked.headers["api-key"]) == ("gpt-x", KEY)
    chosen = site.api("POST", "/test", base_url=here, model="another").json()
    assert chosen["model_tried"] == "another"

    def tried(reply: Callable[[Seen], Response], **more: Any) -> str:
        site.upstream.reply = reply
        result = site.api("POST", "/test", **({"base_url": here} | more)).json()
        assert not result["ok"]
        return f"{result['problem']['what']} {result['problem']['advice']}"

    quoting = {"error": {"message": f"Incorrect key: {KEY}", "code": "invalid_api_key"}}
    refused = tried(lambda _seen: JSONResponse(quoting, 401), api_key=KEY)
    assert "It refuses the key (401, invalid_api_key" in refused
    assert "planted" not in refused
    page = tried(lambda _seen: Response("<html>", 404), base_url=site.upstream.url)
    assert "404, a web page" in page
    assert "add /v1" in page
    away = tried(lists_and_chats, base_url=f"http://127.0.0.1:{free_port()}/v1")
    assert away.startswith("It does not answer (ConnectionRefusedError). Check the address")
    no_tls = tried(lists_and_chats, base_url=here.replace("http:", "https:"))
    assert "certificate" in no_tls
    empty = tried(lambda _seen: JSONResponse({"data": []}))
    assert empty.startswith("It lists no models. Name a model")
    spent = {"error": {"message": "No credit", "code": "quota"}}

    def poor(seen: Seen) -> Response:
        return lists_and_chats(seen) if seen.method == "GET" else JSONResponse(spent, 429)

    assert "gpt-x does not answer (429, quota, No credit)" in tried(poor)
    assert problem(site.api("POST", "/test", model="m"), "base_url") == 422
    assert problem(site.api("POST", "/test", id="ups_none")) == 404
    evil = site.api("POST", "/test", base_url="http://169.254.169.254/v1")
    assert problem(evil, "base_url") == 422


def test_no_response_log_or_file_contains_an_upstream_key(site: Site) -> None:
    made = site.create(api_key=KEY)
    site.upstream.reply = lambda seen: JSONResponse({"error": dict(seen.headers)}, 401)
    key = site.server.sign_up().create_key()["key"]
    with site.server.gateway(key) as api:
        refused = api.post("/v1/chat/completions", json=CHAT)
    assert refused.status_code == 502
    health = site.listed()[0]["health"]
    assert health["failures"] == 1
    assert health["last_failure"].startswith("answered 401, 20")
    answers = [
        site.api("GET").text,
        site.api("PATCH", f"/{made['id']}", weight=2).text,
        site.api("POST", "/test", id=made["id"]).text,
        site.operator.http.get("/api/operator/upstream").text,
        site.operator.http.get("/api/operator/audit-log").text,
        site.server.client().get("/metrics").text,
        refused.text,
    ]
    assert KEY not in "".join(answers) + site.server.log() + site.second.log()
    stored = site.stored()
    assert made["id"] in stored
    assert KEY not in stored


def test_an_upstream_with_an_undecryptable_key_is_disabled(site: Site) -> None:
    made = site.create(api_key=KEY)
    site.change_row("sealed_key = 'AAAA'", made["id"])
    until(lambda: "upstream_off" in site.server.log())
    (found,) = site.listed()
    assert "cannot be decrypted" in found["problem"]
    assert found["has_api_key"]
    tested = site.api("POST", "/test", id=made["id"])
    assert problem(tested, "api_key") == 409
    key = site.server.sign_up().create_key()["key"]
    with site.server.gateway(key) as api:
        assert api.post("/v1/chat/completions", json=CHAT).status_code == 404
        repaired = site.api("PATCH", f"/{made['id']}", api_key=KEY).json()
        assert repaired["problem"] is None
        assert api.post("/v1/chat/completions", json=CHAT).status_code == 200


def test_an_address_changed_in_the_database_does_not_get_the_key(site: Site) -> None:
    made = site.create(api_key=KEY)
    port = site.upstream.url.rpartition(":")[2]
    changed = f"replace(CAST(terms AS text), '{port}', '1')"
    site.change_row(f"terms = CAST({changed} AS json)", made["id"])
    until(lambda: "cannot be decrypted" in str(site.listed()[0]["problem"]))


def test_an_unreadable_upstream_can_only_be_deleted(site: Site) -> None:
    made = site.create(api_key=KEY)
    site.change_row("""terms = CAST('{"base_url": 1}' AS json)""", made["id"])
    until(lambda: "cannot be read" in str(site.listed()[0]["problem"]))
    assert problem(site.api("PATCH", f"/{made['id']}", weight=2)) == 409
    assert problem(site.api("POST", "/test", id=made["id"])) == 409
    assert site.api("DELETE", f"/{made['id']}").status_code == 204
    assert site.listed() == []


def test_the_demo_model_answers_until_there_is_an_upstream(
    start: StartServer, upstream: FakeUpstream
) -> None:
    upstream.reply = lists_and_chats
    server = start()
    http = server.set_up().http

    def is_demo() -> bool:
        paths = ("/api/site", "/api/operator/upstream")
        found: set[bool] = {http.get(path).json()["demo"] for path in paths}
        (demo,) = found | {"demo" in http.get("/api/site.js").text}
        return demo

    assert is_demo()
    new = {"name": "mine", "base_url": upstream.base_url, "api_key": KEY}
    made = http.post("/api/operator/upstreams", json=new).json()
    assert not is_demo()
    assert [x["id"] for x in http.get("/api/models").json()] == [
        "text-embedding-3-small",
        "gpt-x",
    ]
    doctor = daypass("doctor", **server.settings)
    assert doctor.returncode == 0, doctor.stdout
    assert "ok   chat mine: gpt-x answers" in doctor.stdout
    http.delete(f"/api/operator/upstreams/{made['id']}")
    assert is_demo()
