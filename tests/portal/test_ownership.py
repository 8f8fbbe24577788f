"""Keys and plans that the caller may not use."""

from tests.conftest import Person, Server
from tests.support.portal import CHAT, invited, problem


def test_resources_of_another_account_are_not_found(
    invite_site: Server, invite_operator: Person, invited_person: Person
) -> None:
    """New API CVE-2026-30886: an id was enough to read and change another's objects."""
    other = invited(invite_site, invite_operator)
    theirs = other.create_key(name="theirs")
    gateway = invite_site.gateway(theirs["key"])
    assert gateway.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    path = f"/api/api-keys/{theirs['id']}"
    chat = CHAT | {"api_key_id": theirs["id"]}
    for actor in (invited_person, invite_operator):
        for response in (
            actor.http.patch(path, json={"name": "mine", "usage_plan_id": "30RequestPerDay"}),
            actor.http.post(f"{path}/rotate", json={"grace_seconds": 9}),
            actor.http.delete(path),
            actor.http.post("/api/chat/completions", json=chat),
        ):
            missing = problem(response)
            assert missing == 404
            unknown = actor.http.delete("/api/api-keys/key_nothing")
            # The response does not reveal that it exists.
            assert response.json() == unknown.json()
        for listing in ("api-keys", "usage", "requests", "usage/today"):
            answer = actor.http.get(f"/api/{listing}", params={"account_id": theirs["id"]})
            assert theirs["id"] not in answer.text
    # A member of the body that names another account has no effect.
    forged = {"name": "x", "usage_plan_id": "10RequestPerDay", "account_id": "acc_x", "slot": 1}
    made = invited_person.http.post("/api/api-keys", json=forged).json()
    (mine,) = invited_person.keys()
    assert mine["id"] == made["id"]
    (kept,) = other.keys()
    assert (kept["name"], kept["usage_plan_id"], kept["used"]) == ("theirs", "10RequestPerDay", 1)
    assert gateway.get("/v1/key").status_code == 200


def test_a_retired_or_private_plan_cannot_be_chosen(
    invite_site: Server, invite_operator: Person
) -> None:
    """People could choose a hidden plan by its id."""
    plans = "/api/operator/usage-plans"
    private = {"id": "private", "name": "Private", "unlimited": True, "self_service": False}
    assert invite_operator.http.post(plans, json=private).status_code == 201
    person = invited(invite_site, invite_operator)
    body = {"name": "x", "usage_plan_id": "private"}
    assert problem(person.http.post("/api/api-keys", json=body), "usage_plan_id") == 422
    key = person.create_key()
    path = f"/api/api-keys/{key['id']}"
    moved = person.http.patch(path, json={"usage_plan_id": "private"})
    assert problem(moved, "usage_plan_id") == 422
    assert person.keys()[0]["usage_plan_id"] == "10RequestPerDay"
