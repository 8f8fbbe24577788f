"""Options of a key beside its name and plan, leaked keys, and the history of a key."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx
import pytest

from daypass.domain.key_format import find_keys, mint
from tests.conftest import DAYPASS, Person, Server, clean_environment, start_server
from tests.support.portal import problem
from tests.support.upstream import FakeUpstream
from tests.support.waiting import BUSY_S
from tests.support.workers import known_after, look, refused_after, warm

PLANS = """
[[plans]]
id = "any"
name = "Any model"
requests_per_day = 1000
[[plans]]
id = "gpt"
name = "GPT"
requests_per_day = 1000
models = ["gpt-*"]
[[plans]]
id = "weekly"
name = "For a week"
requests_per_day = 1000
max_key_days = 7
"""


@pytest.fixture(scope="module")
def site(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("key-options")
    (directory / "daypass.toml").write_text(PLANS)
    server = start_server(
        directory,
        "--workers",
        "2",
        DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url,
        DAYPASS_MAX_KEYS_PER_ACCOUNT="10",
    )
    yield server
    server.stop()


@pytest.fixture(scope="module")
def person(site: Server) -> Person:
    return site.sign_up()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.set_up()


def create(person: Person, plan: str = "any", **options: Any) -> dict[str, Any]:
    body = {"name": "laptop", "usage_plan_id": plan} | options
    response = person.http.post("/api/api-keys", json=body)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


def change(person: Person, key: dict[str, Any], **changes: Any) -> httpx.Response:
    return person.http.patch(f"/api/api-keys/{key['id']}", json=changes)


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def remove(person: Person, *keys: dict[str, Any]) -> None:
    for key in keys:
        assert person.http.delete(f"/api/api-keys/{key['id']}").status_code == 204


def in_(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_paused_key_is_refused_by_every_worker_within_a_second(
    site: Server, person: Person
) -> None:
    key = create(person)
    warm(site, key["key"])
    assert change(person, key, paused=True).json()["paused"] is True
    refused = known_after(lambda: look(site, key["key"]).status_code == 403)
    assert refused < 1 + BUSY_S
    assert code(look(site, key["key"])) == (403, "api_key_paused")
    chat = {"api_key_id": key["id"], "messages": []}
    assert code(person.http.post("/api/chat/completions", json=chat)) == (403, "api_key_paused")
    # Other changes leave it paused.
    assert change(person, key, name="desk").json()["paused"] is True
    assert change(person, key, paused=False).json()["paused"] is False
    assert known_after(lambda: look(site, key["key"]).status_code == 200) < 1 + BUSY_S
    remove(person, key)


def test_a_key_created_paused_is_refused_from_the_start(site: Server, person: Person) -> None:
    key = create(person, paused=True)
    assert code(look(site, key["key"])) == (403, "api_key_paused")
    remove(person, key)


def test_a_key_expires_when_its_owner_chose(site: Server, person: Person) -> None:
    key = create(person, expires_at=in_(3600))
    warm(site, key["key"])
    ends = time.time() + 1.5
    assert change(person, key, expires_at=in_(1.5)).status_code == 200
    known_after(lambda: look(site, key["key"]).status_code == 401)
    assert int(ends) <= time.time() < ends + 1 + BUSY_S
    assert code(look(site, key["key"])) == (401, "api_key_expired")
    # Its owner can extend it, and it works again.
    assert change(person, key, expires_at=None).json()["expires_at"] is None
    assert known_after(lambda: look(site, key["key"]).status_code == 200) < 1 + BUSY_S
    remove(person, key)


def test_a_plan_may_end_a_key_earlier_but_not_later(site: Server, person: Person) -> None:
    key = create(person, "weekly", expires_at=in_(30 * 86_400))
    in_a_week = datetime.fromisoformat(key["created_at"]) + timedelta(days=7)
    assert datetime.fromisoformat(key["expires_at"]) == in_a_week
    assert look(site, key["key"]).json()["expires_at"] == key["expires_at"]
    sooner = change(person, key, expires_at=in_(86_400)).json()
    assert datetime.fromisoformat(sooner["expires_at"]) < in_a_week
    remove(person, key)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),  # no time zone
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": 4_000_000_000}, "expires_at"),
        ({"paused": "yes"}, "paused"),
        ({"note": "x" * 501}, "note"),
        ({"allowed_models": ["gpt-4o", "claude-5"]}, "allowed_models"),
        ({"allowed_models": ["a b"]}, "allowed_models/0"),
        ({"allowed_models": ["gpt-4o"] * 51}, "allowed_models"),
    ],
)
def test_an_invalid_option_changes_nothing(
    person: Person, options: dict[str, Any], field: str
) -> None:
    body = {"name": "laptop", "usage_plan_id": "gpt"}
    assert problem(person.http.post("/api/api-keys", json=body | options), field) == 422
    key = create(person, "gpt", note="before")
    assert problem(change(person, key, name="after", **options), field) == 422
    (listed,) = person.keys()
    assert (listed["name"], listed["note"]) == ("laptop", "before")
    remove(person, key)


def test_models_are_narrowed_below_the_plan(site: Server, person: Person) -> None:
    key = create(person, "gpt", allowed_models=["gpt-4o*"], note=" for the course ")
    assert (key["allowed_models"], key["note"]) == (["gpt-4o*"], "for the course")
    with site.gateway(key["key"]) as api:

        def ask(model: str) -> httpx.Response:
            return api.post("/v1/chat/completions", json={"model": model, "messages": []})

        assert ask("gpt-4o-mini").status_code == 200
        assert code(ask("gpt-5")) == (404, "model_not_found")
        assert code(ask("claude-5")) == (404, "model_not_found")
        assert api.get("/v1/key").json()["allowed_models"] == ["gpt-4o*"]
        assert change(person, key, allowed_models=[]).json()["allowed_models"] == []
        assert known_after(lambda: ask("gpt-5").status_code == 200) < 1 + BUSY_S
        assert code(ask("claude-5")) == (404, "model_not_found")
    remove(person, key)


def test_a_rotation_keeps_the_options(site: Server, person: Person) -> None:
    key = create(person, note="mine", allowed_models=["gpt-4o"], paused=True)
    rotated = person.http.post(f"/api/api-keys/{key['id']}/rotate", json={}).json()
    names = ("note", "allowed_models", "paused", "expires_at")
    assert {x: rotated[x] for x in names} == {x: key[x] for x in names}
    assert code(look(site, rotated["key"])) == (403, "api_key_paused")
    remove(person, key)


def test_a_key_reads_its_own_history(site: Server, person: Person) -> None:
    key, other = create(person), create(person)
    body = {"model": "gpt-4o", "messages": []}
    with site.gateway(other["key"]) as api:
        assert api.post("/v1/chat/completions", json=body).status_code == 200
    with site.gateway(key["key"]) as api:
        for _ in range(2):
            assert api.post("/v1/chat/completions", json=body).status_code == 200
        used = site.used(key["key"])
        # The other worker may have served it: usage is written each second.
        assert known_after(lambda: _requests(api) == 2) < 2 + BUSY_S
        document = api.get("/v1/key/usage", params={"days": 1}).json()
        (row,) = document["data"]
        assert (document["days"], row["model"], row["requests"]) == (1, "gpt-4o", 2)
        assert site.used(key["key"]) == used  # reading counts nothing
        for days in ("0", "367", "x", "1e3", "", "-1", "99999999999999999999"):
            assert api.get("/v1/key/usage", params={"days": days}).status_code == 400
        assert api.post("/v1/key/usage", json={}).status_code == 405
    assert httpx.get(f"{site.url}/v1/key/usage").status_code == 401
    remove(person, key, other)


def _requests(api: httpx.Client) -> int:
    return sum(x["requests"] for x in api.get("/v1/key/usage").json()["data"])


def test_leaked_keys_are_revoked(site: Server, person: Person, operator: Person) -> None:
    leaked, rotated, safe = create(person), create(person), create(person)
    grace = {"grace_seconds": 3600}
    new = person.http.post(f"/api/api-keys/{rotated['id']}/rotate", json=grace).json()
    body = {"keys": [leaked["key"], f" {rotated['key']}\n", mint().secret, "sk-other"]}
    answer = operator.http.post("/api/operator/leaked-keys", json=body)
    assert answer.status_code == 200, answer.text
    revoked = {x["id"]: x["deleted"] for x in answer.json()["revoked"]}
    assert revoked == {leaked["id"]: True, rotated["id"]: False}
    assert answer.json()["unknown"] == 2
    for secret in (leaked["key"], rotated["key"]):
        assert refused_after(site, secret) < 1 + BUSY_S
        assert look(site, secret).status_code == 401
        assert secret not in answer.text
    assert look(site, new["key"]).status_code == look(site, safe["key"]).status_code == 200
    log = operator.http.get("/api/operator/audit-log").json()
    actions = {x["action"] for x in log if leaked["id"] in x["subject"]}
    assert actions == {"leaked key revoked"}
    assert problem(person.http.post("/api/operator/leaked-keys", json=body)) == 403
    remove(person, rotated, safe)


def test_the_command_revokes_the_keys_in_a_text(site: Server, person: Person) -> None:
    leaked, safe = create(person), create(person)
    text = f"OPENAI_API_KEY='{leaked['key']}' # not {safe['key']}x, {mint().secret}"
    ended = subprocess.run(
        [*DAYPASS, "keys", "revoke", "--leaked", "--json"],
        input=text,
        env=clean_environment(**site.settings),
        cwd=site.data_dir.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert leaked["id"] in ended.stdout
    assert leaked["key"] not in ended.stdout + ended.stderr
    listed = {x["id"] for x in person.keys()}  # noqa: SIM118
    assert safe["id"] in listed
    assert leaked["id"] not in listed
    remove(person, safe)


def test_keys_are_found_in_a_text() -> None:
    one, two = mint().secret, mint().secret
    assert find_keys(f"a={one};b='{two}' {one}, x{one} {one}9 {two[:-1]}0") == [one, two]
