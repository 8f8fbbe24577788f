"""Creating, changing, rotating and deleting API keys."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import ValidationError

from daypass.domain import key_format
from daypass.portal.api_keys import NewApiKey
from tests.conftest import Person, Server, StartServer
from tests.support.portal import CHAT, only_embedded, problem


def test_a_key_is_shown_once_and_stored_as_a_hash(site: Server, person: Person) -> None:
    response = person.http.post(
        "/api/api-keys", json={"name": " laptop ", "usage_plan_id": "20RequestPerDay"}
    )
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    created = response.json()
    assert set(created) == {
        "id",
        "key",
        "prefix",
        "last4",
        "name",
        "usage_plan_id",
        "created_at",
        "expires_at",
        "paused",
        "note",
        "allowed_models",
    }
    assert key_format.is_well_formed(created["key"])
    assert created["name"] == "laptop"
    (listed,) = person.keys()
    assert "key" not in listed
    assert listed["prefix"] == created["key"][:8]
    assert listed["last4"] == created["key"][-4:]
    assert (listed["used"], listed["limit"], listed["remaining"]) == (0, 20, 20)
    assert listed["resets_at"].endswith("T00:00:00Z")
    assert listed["window"] == "day"
    stored = b"".join(path.read_bytes() for path in site.data_dir.rglob("*") if path.is_file())
    assert created["key"].encode() not in stored
    assert key_format.digest(created["key"]).encode() in stored


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "usage_plan_id": "10RequestPerDay"}, "name"),
        ({"name": "   ", "usage_plan_id": "10RequestPerDay"}, "name"),
        ({"name": "x" * 81, "usage_plan_id": "10RequestPerDay"}, "name"),
        ({"name": "a\nb", "usage_plan_id": "10RequestPerDay"}, "name"),
        ({"name": "laptop", "usage_plan_id": "unlimited"}, "usage_plan_id"),
        ({"name": "laptop"}, "usage_plan_id"),
    ],
)
def test_an_invalid_key_request_creates_nothing(
    person: Person, body: dict[str, Any], field: str
) -> None:
    assert problem(person.http.post("/api/api-keys", json=body), field) == 422
    assert person.keys() == []


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f469\u200d\U0001f469\u200d\U0001f466 family",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u5c71\u7530\u3000\u592a\u90ce",
        "no\u00a0break",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
)
def test_key_names_may_be_in_any_script(name: str) -> None:
    assert NewApiKey(name=f"\u3000{name} ", usage_plan_id="p").name == name


@pytest.mark.parametrize(
    "name", ["\u200d \u200d", "\u3000", "a\u202eb", "a\u2028b", "a\x00", "\ud800"]
)
def test_an_invisible_or_misleading_name_is_rejected(name: str) -> None:
    with pytest.raises(ValidationError):
        NewApiKey(name=name, usage_plan_id="p")


def test_malformed_json_is_400(person: Person) -> None:
    headers = {"content-type": "application/json"}
    response = person.http.post("/api/api-keys", content=b"{", headers=headers)
    assert problem(response) == 400


@only_embedded
def test_concurrent_requests_cannot_exceed_the_key_limit(person: Person) -> None:
    def create(number: int) -> int:
        body = {"name": f"key {number}", "usage_plan_id": "10RequestPerDay"}
        return person.http.post("/api/api-keys", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(8)))
    assert statuses == [201, 201, 201, 409, 409, 409, 409, 409]
    assert len(person.keys()) == 3


@only_embedded
def test_renaming_and_changing_the_plan_keep_usage(site: Server, person: Person) -> None:
    created = person.create_key()
    api = site.gateway(created["key"])
    for _ in range(4):
        assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    path = f"/api/api-keys/{created['id']}"
    change = {"name": "desk", "usage_plan_id": "30RequestPerDay"}
    changed = person.http.patch(path, json=change).json()
    assert (changed["name"], changed["used"], changed["limit"]) == ("desk", 4, 30)
    response = api.post("/v1/embeddings", json={"input": "x"})
    assert response.headers["x-ratelimit-limit-requests"] == "30"
    assert response.headers["x-ratelimit-remaining-requests"] == "25"
    assert problem(person.http.patch(path, json={"usage_plan_id": "no"}), "usage_plan_id") == 422
    assert person.http.patch(path, json={}).json()["name"] == "desk"


@only_embedded
def test_rotation_keeps_usage_and_the_old_secret_during_the_grace_period(
    site: Server, person: Person
) -> None:
    created = person.create_key()
    old = site.gateway(created["key"])
    old.post("/v1/embeddings", json={"input": "x"})
    path = f"/api/api-keys/{created['id']}/rotate"
    rotated = person.http.post(path, json={"grace_seconds": 60}).json()
    assert rotated["id"] == created["id"]
    assert rotated["previous_valid_until"].endswith("Z")
    new = site.gateway(rotated["key"])
    for api in (old, new):
        assert api.get("/v1/key").json()["limits"][0]["used"] == 1
    last = person.http.post(path).json()
    assert last["previous_valid_until"] is None
    assert [api.get("/v1/key").status_code for api in (old, new)] == [401, 401]
    assert site.gateway(last["key"]).get("/v1/key").json()["limits"][0]["used"] == 1
    assert problem(person.http.post(path, json={"grace_seconds": -1}), "grace_seconds") == 422


def test_the_old_secret_is_rejected_after_its_grace_period(start: StartServer) -> None:
    server = start()
    person = server.sign_up()
    created = person.create_key()
    person.http.post(f"/api/api-keys/{created['id']}/rotate", json={"grace_seconds": 3600})
    assert server.gateway(created["key"]).get("/v1/key").status_code == 200
    server.stop()
    later = start(
        DAYPASS_TESTING="1", DAYPASS_CLOCK_OFFSET_S="3601", DAYPASS_DATA_DIR=str(server.data_dir)
    )
    assert later.gateway(created["key"]).get("/v1/key").status_code == 401


def test_the_key_of_another_account_is_not_found(site: Server, person: Person) -> None:
    theirs = site.sign_up().create_key()["id"]
    path = f"/api/api-keys/{theirs}"
    chat = CHAT | {"api_key_id": theirs}
    for response in (
        person.http.patch(path, json={"name": "mine"}),
        person.http.post(f"{path}/rotate"),
        person.http.delete(path),
        person.http.post("/api/chat/completions", json=chat),
        person.http.delete("/api/api-keys/key_nothing"),
    ):
        assert problem(response) == 404
