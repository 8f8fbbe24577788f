import asyncio
import contextlib
import json
import sqlite3
import stat
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.responses import JSONResponse, Response
from typer.testing import CliRunner, Result

from daypass import __version__
from daypass.cli.commands import app
from daypass.domain import key_format
from daypass.domain.plans import Limit, Measure, Window
from daypass.quota.ledger import Claim, Subject
from daypass.quota.sqlite.ledger import SqliteLedger
from daypass.records.schema import upgrade
from tests.conftest import PASSWORD, Person, Server, StartServer, daypass
from tests.support.postgres import Postgres
from tests.support.upstream import FakeUpstream, Reply, Seen, completion
from tests.support.waiting import until


@pytest.fixture
def server(start: StartServer) -> Server:
    return start()


@pytest.fixture
def person(server: Server) -> Person:
    return server.sign_up()


def run(server: Server, *arguments: str) -> Any:
    ended = daypass(*arguments, DAYPASS_DATA_DIR=str(server.data_dir))
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout) if "--json" in arguments else ended.stdout


def here(server: Server, *arguments: str, answer: str = "") -> Result:
    """Run a command in this process, which takes no time to start."""
    environment = {"DAYPASS_DATA_DIR": str(server.data_dir)}
    return CliRunner().invoke(app, arguments, env=environment, input=answer)


def test_plans_are_listed(tmp_path: Path) -> None:
    state = {"DAYPASS_DATA_DIR": str(tmp_path)}
    listed = json.loads(daypass("plans", "list", "--json", **state).stdout)
    assert [plan["id"] for plan in listed] == [
        "10RequestPerDay",
        "20RequestPerDay",
        "30RequestPerDay",
    ]
    assert listed[0]["limits"] == [{"measure": "requests", "amount": 10, "window": "day"}]
    assert listed[0]["models"] == []
    assert "10 requests per day" in daypass("plans", "list", **state).stdout


@pytest.mark.parametrize(
    "command",
    [
        ("keys", "list"),
        ("accounts", "list"),
        ("accounts", "promote", "a@example.org"),
        ("accounts", "delete", "a@example.org", "--yes"),
        ("keys", "revoke", "key_x"),
        ("doctor",),
        ("plans", "list"),
    ],
)
def test_read_only_commands_do_not_create_a_database(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    data_dir = tmp_path / "mistyped"
    ended = daypass(*command, DAYPASS_DATA_DIR=str(data_dir))
    assert not data_dir.exists()
    if command[0] == "plans":
        assert "10RequestPerDay" in ended.stdout
    elif command[0] == "doctor":
        assert f"ok   database: none yet: sqlite:///{data_dir}/daypass.db" in ended.stdout
    else:
        assert ended.returncode == 2
        assert ended.stderr.startswith(f"daypass: there is no database at {data_dir}/daypass.db")


@pytest.mark.parametrize("command", [(), ("plans",)])
def test_a_missing_command_prints_the_usage_without_an_error(
    command: tuple[str, ...],
) -> None:
    ended = daypass(*command)
    assert ended.returncode == 2
    assert "Usage: " in ended.stdout + ended.stderr
    assert "daypass: " not in ended.stderr


def test_a_prompt_without_a_terminal_names_the_option(tmp_path: Path) -> None:
    ended = daypass("accounts", "delete", "a@example.org", DAYPASS_DATA_DIR=str(tmp_path))
    assert ended.returncode == 2
    assert "confirm with --yes" in ended.stderr


def test_read_only_commands_do_not_migrate_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/daypass.db"
    asyncio.run(upgrade(url))
    asyncio.run(upgrade(url, "0008"))
    state = {"DAYPASS_DATA_DIR": str(tmp_path)}
    old = daypass("keys", "list", **state)
    assert old.returncode == 2
    assert "its tables are at 0008" in old.stderr
    assert daypass("migrate", **state).returncode == 0
    assert daypass("keys", "list", **state).stdout == "none\n"


def test_a_shared_data_directory_keeps_its_mode(start: StartServer, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    server = start(DAYPASS_DATA_DIR=str(shared))
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in shared.iterdir()}
    assert {mode & 0o077 for mode in files.values()} == {0}, files
    assert f"other users can access {shared} (mode 0755)" in server.log()


def test_the_version_is_printed() -> None:
    assert daypass("--version").stdout == f"daypass {__version__}\n"


def test_keys_are_created_listed_and_revoked(server: Server, person: Person) -> None:
    plan = ("--plan", "20RequestPerDay")
    (created,) = run(server, "keys", "create", person.email, *plan, "--json")
    assert key_format.is_well_formed(created["key"])
    assert server.gateway(created["key"]).get("/v1/key").status_code == 200
    (listed,) = run(server, "keys", "list", "--json")
    assert listed["id"] == created["id"]
    assert created["key"] not in json.dumps(listed)
    run(server, "keys", "revoke", created["id"])
    assert person.keys() == []
    again = daypass("keys", "revoke", created["id"], DAYPASS_DATA_DIR=str(server.data_dir))
    assert again.returncode == 2
    assert "there is no API key" in again.stderr
    assert run(server, "keys", "list") == "none\n"


def test_accounts_are_listed_promoted_and_disabled(server: Server, person: Person) -> None:
    other = server.sign_up()
    run(server, "accounts", "promote", other.email)
    run(server, "accounts", "disable", other.email)
    listed = run(server, "accounts", "list", "--json")
    assert {(x["email"], x["role"], x["disabled_at"] is None) for x in listed} == {
        (person.email, "operator", True),
        (other.email, "operator", False),
    }
    # Existing sessions do not gain an operator's rights and do not become valid again.
    assert other.http.get("/api/api-keys").status_code == 401
    run(server, "accounts", "disable", other.email, "--undo")
    assert other.http.get("/api/api-keys").status_code == 401
    body = {"email": other.email, "password": PASSWORD}
    assert other.http.post("/api/session", json=body).status_code == 200
    run(server, "accounts", "promote", other.email)
    assert other.http.get("/api/api-keys").status_code == 401
    nobody = daypass("accounts", "promote", "x@x.org", DAYPASS_DATA_DIR=str(server.data_dir))
    assert nobody.returncode == 2
    assert nobody.stderr.startswith("daypass: there is no account x@x.org")


def test_deleting_an_account_removes_every_trace_of_its_address(start: StartServer) -> None:
    server = start()
    operator, person = server.sign_up(), server.sign_up()
    secret = person.create_key()["key"]
    api = server.gateway(secret)
    assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    people = {x["email"]: x for x in operator.http.get("/api/operator/people").json()["people"]}
    path = f"/api/operator/people/{people[person.email]['id']}"
    assert operator.http.patch(path, json={"role": "operator"}).status_code == 204
    run(server, "accounts", "delete", person.email, "--yes")
    until(lambda: api.get("/v1/key").status_code == 401)
    assert person.email not in operator.http.get("/api/operator/audit-log").text
    other = server.sign_up()
    people = {x["email"]: x for x in operator.http.get("/api/operator/people").json()["people"]}
    path = f"/api/operator/people/{people[other.email]['id']}"
    assert operator.http.delete(path).status_code == 204
    assert operator.http.delete(path).status_code == 404
    assert other.http.get("/api/session").status_code == 401
    with sqlite3.connect(server.data_dir / "daypass.db") as connection:
        left = "\n".join(connection.iterdump())
    assert person.email not in left
    assert other.email not in left
    assert "account deleted" in left
    own = people[operator.email]["id"]
    assert operator.http.delete(f"/api/operator/people/{own}").status_code == 409
    state = {"DAYPASS_DATA_DIR": str(server.data_dir)}
    last = daypass("accounts", "delete", operator.email, "--yes", **state)
    assert "is the last operator" in last.stderr


def test_a_forgotten_password_is_reset_without_mail(server: Server, person: Person) -> None:
    created = run(server, "accounts", "reset-password", person.email, "--json", "--port", "8080")
    site, _, token = created["url"].partition("/reset-password/#token=")
    assert site == "http://127.0.0.1:8080"
    lasts = datetime.fromisoformat(created["expires_at"]).timestamp() - time.time()
    assert 86_390 < lasts <= 86_400
    # Also for an operator, as this one is.
    new = "planted-password of another day"
    body = {"token": token, "password": new}
    assert server.client().put("/api/password-resets", json=body).status_code == 204
    assert person.http.get("/api/session").status_code == 401
    body = {"email": person.email, "password": new}
    assert person.http.post("/api/session", json=body).status_code == 200
    (entry,) = person.http.get("/api/operator/audit-log").json()
    assert entry["action"] == "password reset link created"
    assert entry["actor_email"] == "the daypass command"
    assert here(server, "accounts", "reset-password", person.email).output.startswith(
        "http://127.0.0.1:8000/reset-password/#token="
    )
    other = server.sign_up()
    assert here(server, "accounts", "disable", other.email).exit_code == 0
    for email, reason in ((other.email, "is disabled"), ("x@x.org", "there is no account x@x.org")):
        refused = here(server, "accounts", "reset-password", email, "--json")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert reason in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    kept = here(server, "accounts", "delete", other.email, "--json", answer="n\n")
    assert (kept.exit_code, "deleted" in kept.stdout) == (0, False)
    deleted = json.loads(here(server, "accounts", "delete", other.email, "--yes", "--json").stdout)
    assert (deleted["email"], deleted["deleted"]) == (other.email, True)


def test_plans_are_listed_before_the_first_start(tmp_path: Path) -> None:
    environment = {"DAYPASS_DATA_DIR": str(tmp_path)}
    assert CliRunner().invoke(app, ["migrate"], env=environment).exit_code == 0
    listed = CliRunner().invoke(app, ["plans", "list", "--json"], env=environment)
    assert len(json.loads(listed.stdout)) == 3


def test_doctor_reports_problems(tmp_path: Path, upstream: FakeUpstream) -> None:
    upstream.reply = lambda seen: (
        JSONResponse({"data": [{"id": "m"}]}) if seen.method == "GET" else completion(seen)
    )
    data = {"DAYPASS_DATA_DIR": str(tmp_path / "data")}
    well = daypass("doctor", DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, **data)
    assert well.returncode == 0, well.stdout
    away = daypass("doctor", "--json", DAYPASS_UPSTREAM_BASE_URL="http://127.0.0.1:1/v1", **data)
    assert away.returncode == 1
    findings = {x["what"]: x for x in json.loads(away.stdout)}
    assert not findings["upstream"]["ok"]
    assert findings["database"]["ok"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "daypass.db").write_bytes(b"garbage" * 1000)
    broken = daypass("doctor", **data)
    assert broken.returncode == 1
    assert "FAIL database" in broken.stdout
    wrong = daypass("doctor", DAYPASS_SIGN_UP="maybe")
    assert wrong.returncode == 1
    assert "FAIL settings: DAYPASS_SIGN_UP" in wrong.stdout


def test_serve_and_doctor_report_an_unused_proxy(tmp_path: Path) -> None:
    settings = {
        "DAYPASS_DATA_DIR": str(tmp_path / "data"),
        "DAYPASS_UPSTREAM_BASE_URL": "http://llm.example/v1",
        "HTTP_PROXY": "http://proxy.example:3128",
    }
    serve = daypass("serve", **settings)
    assert serve.returncode == 2
    assert serve.stderr.startswith("daypass: HTTP_PROXY: ")
    assert serve.stderr.count("\n") == 1
    assert "FAIL upstream: HTTP_PROXY: " in daypass("doctor", **settings).stdout


def test_doctor_calls_the_upstream_and_reports_failures(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    def found(reply: Reply, **settings: str) -> dict[str, Any]:
        upstream.seen.clear()
        upstream.reply = reply
        at = {"DAYPASS_UPSTREAM_BASE_URL": upstream.base_url} | settings
        ended = daypass("doctor", "--json", DAYPASS_DATA_DIR=str(tmp_path / "data"), **at)
        return {x["what"]: x for x in json.loads(ended.stdout)}

    def lists(models: list[str], chat: Reply) -> Reply:
        listed = JSONResponse({"data": [{"id": x} for x in models]})
        return lambda seen: listed if seen.method == "GET" else chat(seen)

    well = found(lists(["text-embedding-3-small", "gpt-x"], completion))
    assert well["upstream"]["ok"]
    assert well["chat"]["found"] == "gpt-x answers"
    asked = upstream.seen[-1].json()
    assert (asked["model"], asked["max_tokens"]) == ("gpt-x", 1)

    def wants_the_other_cap(seen: Seen) -> Response:
        if "max_tokens" in seen.json():
            return JSONResponse({"error": {"message": "Use 'max_completion_tokens'."}}, 400)
        return completion(seen)

    assert found(lists(["o9"], wants_the_other_cap))["chat"]["found"] == "o9 answers"

    spent = {"error": {"message": "No credit. Key: sk-secret-0123456789", "code": "quota"}}
    poor = found(lists(["m"], lambda _seen: JSONResponse(spent, 429)))["chat"]
    assert not poor["ok"]
    assert poor["found"] == "m does not answer (429, quota, No credit. Key: [redacted])"

    page = found(lambda _seen: Response("<html>", 404), DAYPASS_UPSTREAM_BASE_URL=upstream.url)
    assert "404, a web page" in page["upstream"]["found"]
    assert "/v1" in page["upstream"]["advice"]
    assert "chat" not in page

    refused = found(lambda _seen: JSONResponse({"error": {"code": "invalid_api_key"}}, 401))
    assert "refuses the key (401, invalid_api_key)" in refused["upstream"]["found"]

    demo = daypass("doctor", DAYPASS_DATA_DIR=str(tmp_path / "data"))
    assert demo.returncode == 0
    assert "ok   chat: " in demo.stdout


def test_doctor_works_without_a_data_directory(tmp_path: Path, postgres_server: Postgres) -> None:
    ended = daypass(
        "doctor",
        DAYPASS_DATA_DIR=str(tmp_path / "not there yet"),
        DAYPASS_DATABASE_URL=postgres_server.create_database(f"test_{uuid4().hex}"),
    )
    assert ended.returncode == 0, ended.stdout


def test_an_unusable_database_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "daypass.db").write_bytes(b"garbage" * 1000)
    ended = daypass("serve", DAYPASS_DATA_DIR=str(tmp_path / "data"))
    assert ended.returncode == 2
    assert ended.stderr.startswith("daypass: cannot open ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (("clock", "reset"), {"DAYPASS_DATA_DIR": "x" * 5000}),
        (("plans", "list"), {"DAYPASS_CONFIG": "no\nfile"}),
    ],
)
def test_an_invalid_path_or_address_is_reported_in_one_line(
    command: tuple[str, ...], state: dict[str, str]
) -> None:
    ended = daypass(*command, **state)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith("daypass: ")
    assert ended.stderr.count("\n") == 1


def test_a_ledger_ahead_of_the_clock_is_reported_and_reset(tmp_path: Path) -> None:
    state = {"DAYPASS_DATA_DIR": str(tmp_path)}
    none = daypass("clock", "reset", **state)
    assert none.returncode == 2
    assert none.stderr.startswith("daypass: there is no ledger at ")
    later = SqliteLedger(tmp_path / "daypass.db", lambda: time.time() + 5 * 3600)

    async def count_later() -> None:
        await later.start()
        await later.reserve([Claim(Subject("site"), Limit(Measure.REQUESTS, 5, Window.DAY))])
        await later.close()

    asyncio.run(count_later())
    found = daypass("doctor", **state)
    assert "FAIL clock: the ledger has counted at a later time: it is 5 hours ahead" in found.stdout
    assert "run 'daypass clock reset'" in found.stdout
    assert "was 5 hours ahead" in daypass("clock", "reset", **state).stdout
    assert "clock:" not in daypass("doctor", **state).stdout
    assert "was not ahead" in daypass("clock", "reset", **state).stdout
    elsewhere = daypass("clock", "reset", DAYPASS_REDIS_URL="redis://127.0.0.1:1", **state)
    assert elsewhere.returncode == 2
    assert "only the ledger in the data directory" in elsewhere.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--port", "99999"), "Invalid value for '--port'"),
        (("serve", "--workers", "0"), "Invalid value for '--workers'"),
        (("nonsense",), "No such command 'nonsense'"),
    ],
)
def test_an_invalid_argument_is_reported_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    ended = daypass(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"daypass: {said}")
    assert ended.stderr.count("\n") == 1


def test_state_files_are_private_to_their_owner(server: Server) -> None:
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    for path in server.data_dir.rglob("*"):
        # The server replaces its metrics files all the time.
        with contextlib.suppress(FileNotFoundError):
            allowed = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == allowed, path
