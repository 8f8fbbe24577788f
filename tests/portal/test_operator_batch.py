"""Batch actions of an operator on people, keys or invitations."""

from typing import Any

import pytest

from tests.conftest import Person, Server
from tests.support.portal import invited, problem
from tests.support.waiting import BUSY_S
from tests.support.workers import refused_after, warm


def batch(operator: Person, noun: str, ids: list[str], action: str, **more: Any) -> Any:
    body = {"ids": ids, "action": action} | more
    response = operator.http.post(f"/api/operator/{noun}/batch", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def id_of(person: Person) -> str:
    account_id: str = person.http.get("/api/session").json()["id"]
    return account_id


def actions(operator: Person, subject: str) -> list[str]:
    found = operator.http.get("/api/operator/audit-log", params={"search": subject}).json()
    return [entry["action"] for entry in found]


def test_a_batch_reports_failures_and_applies_the_rest(
    invite_site: Server, invite_operator: Person
) -> None:
    people = [invited(invite_site, invite_operator) for _ in range(2)]
    key = people[1].create_key()["key"]
    warm(invite_site, key)
    own = id_of(invite_operator)
    ids = [id_of(people[0]), "acc_nobody", own, id_of(people[1]), id_of(people[0])]
    outcome = batch(invite_operator, "people", ids, "disable")
    assert outcome == {
        "done": 2,
        "failed": [
            {"id": "acc_nobody", "detail": "There is no such account."},
            {"id": own, "detail": "This is your own account."},
        ],
    }
    assert refused_after(invite_site, key) < 1 + BUSY_S
    assert invite_operator.http.get("/api/session").status_code == 200
    for person in people:
        assert actions(invite_operator, person.email) == ["account disabled"]
    assert batch(invite_operator, "people", ids[:1], "enable") == {"done": 1, "failed": []}


def test_keys_are_moved_and_revoked_together(invite_site: Server, invite_operator: Person) -> None:
    person = invited(invite_site, invite_operator)
    ids = [person.create_key(name=name)["id"] for name in ("a", "b")]
    plan = {"usage_plan_id": "30RequestPerDay"}
    assert batch(invite_operator, "api-keys", ids, "move", **plan) == {"done": 2, "failed": []}
    moved = person.keys()
    assert [key["usage_plan_id"] for key in moved] == ["30RequestPerDay"] * 2
    body = {"ids": ids, "action": "move"}
    path = "/api/operator/api-keys/batch"
    assert problem(invite_operator.http.post(path, json=body), "usage_plan_id") == 422
    outcome = batch(invite_operator, "api-keys", [*ids, "key_x"], "revoke")
    assert outcome["done"] == 2
    assert [item["id"] for item in outcome["failed"]] == ["key_x"]
    assert person.keys() == []
    assert actions(invite_operator, ids[0]) == ["key revoked", "key moved"]


def test_invitations_are_withdrawn_together(invite_site: Server, invite_operator: Person) -> None:
    path = "/api/operator/invitations"
    made = [invite_operator.http.post(path, json={"note": "batch"}).json() for _ in range(2)]
    used = invited(invite_site, invite_operator)
    listed = invite_operator.http.get("/api/operator/sign-up").json()["invitations"]
    (spent,) = [x["id"] for x in listed if x["used_by"] == used.email]
    outcome = batch(invite_operator, "invitations", [spent, *(x["id"] for x in made)], "withdraw")
    assert outcome["done"] == 2
    assert [item["id"] for item in outcome["failed"]] == [spent]
    assert "has been used" in outcome["failed"][0]["detail"]


@pytest.mark.parametrize("ids", [[], ["x"] * 501])
def test_a_batch_has_from_1_to_500_items(invite_operator: Person, ids: list[str]) -> None:
    body = {"ids": ids, "action": "enable"}
    assert problem(invite_operator.http.post("/api/operator/people/batch", json=body), "ids") == 422
