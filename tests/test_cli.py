import json
import stat
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from daypass import api_keys
from tests.conftest import PASSWORD, Person, Server, StartServer, daypass
from tests.postgres import Postgres
from tests.upstream import FakeUpstream


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


def test_plans_are_listed(tmp_path: Path) -> None:
    state = {"DAYPASS_DATA_DIR": str(tmp_path)}
    listed = json.loads(daypass("plans", "list", "--json", **state).stdout)
    assert [plan["id"] for plan in listed] == [
        "10RequestPerDay",
        "20RequestPerDay",
        "30RequestPerDay",
    ]
    assert "10 requests per day" in daypass("plans", "list", **state).stdout


def test_keys_are_created_listed_and_revoked(server: Server, person: Person) -> None:
    plan = ("--plan", "20RequestPerDay")
    (created,) = run(server, "keys", "create", person.email, *plan, "--json")
    assert api_keys.is_well_formed(created["key"])
    assert server.gateway(created["key"]).get("/v1/key").status_code == 200
    (listed,) = run(server, "keys", "list", "--json")
    assert listed["id"] == created["id"]
    assert created["key"] not in json.dumps(listed)
    run(server, "keys", "revoke", created["id"])
    assert person.keys() == []
    again = daypass("keys", "revoke", created["id"], DAYPASS_DATA_DIR=str(server.data_dir))
    assert again.returncode == 1
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
    # What was signed in before does not become an operator's, nor live again.
    assert other.http.get("/api/api-keys").status_code == 401
    run(server, "accounts", "disable", other.email, "--undo")
    assert other.http.get("/api/api-keys").status_code == 401
    body = {"email": other.email, "password": PASSWORD}
    assert other.http.post("/api/session", json=body).status_code == 200
    run(server, "accounts", "promote", other.email)
    assert other.http.get("/api/api-keys").status_code == 401
    nobody = daypass("accounts", "promote", "x@x.org", DAYPASS_DATA_DIR=str(server.data_dir))
    assert nobody.returncode == 1
    assert nobody.stderr.startswith("daypass: there is no account x@x.org")


def test_doctor_finds_what_is_wrong(tmp_path: Path, upstream: FakeUpstream) -> None:
    data = {"DAYPASS_DATA_DIR": str(tmp_path / "data")}
    well = daypass("doctor", DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, **data)
    assert well.returncode == 0, well.stdout
    away = daypass("doctor", "--json", DAYPASS_UPSTREAM_BASE_URL="http://127.0.0.1:1/v1", **data)
    assert away.returncode == 1
    findings = {x["what"]: x for x in json.loads(away.stdout)}
    assert not findings["upstream"]["ok"]
    assert findings["database"]["ok"]
    (tmp_path / "data" / "daypass.db").write_bytes(b"garbage" * 1000)
    broken = daypass("doctor", **data)
    assert broken.returncode == 1
    assert "FAIL database" in broken.stdout
    wrong = daypass("doctor", DAYPASS_SIGN_UP="maybe")
    assert wrong.returncode == 1
    assert "FAIL settings: DAYPASS_SIGN_UP" in wrong.stdout


def test_doctor_needs_no_directory_made_before_it(
    tmp_path: Path, postgres_server: Postgres
) -> None:
    ended = daypass(
        "doctor",
        DAYPASS_DATA_DIR=str(tmp_path / "not there yet"),
        DAYPASS_DATABASE_URL=postgres_server.create_database(f"test_{uuid4().hex}"),
    )
    assert ended.returncode == 0, ended.stdout


def test_a_database_that_cannot_be_opened_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "daypass.db").write_bytes(b"garbage" * 1000)
    ended = daypass("serve", DAYPASS_DATA_DIR=str(tmp_path / "data"))
    assert ended.returncode == 2
    assert ended.stderr.startswith("daypass: cannot open ")
    assert ended.stderr.count("\n") == 1


def test_state_is_for_its_owner_alone(server: Server) -> None:
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    for path in server.data_dir.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
