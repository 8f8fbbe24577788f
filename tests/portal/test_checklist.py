"""The steps of a new site. tests/e2e/test_five_minutes.py takes them all."""

from typing import Any

from tests.conftest import Person
from tests.support.portal import problem_status


def checklist(operator: Person) -> tuple[dict[str, bool], list[str]]:
    response = operator.http.get("/api/operator/checklist")
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return {step["step"]: step["done"] for step in body["steps"]}, body["confirmed"]


def test_a_step_is_done_or_confirmed(invite_operator: Person) -> None:
    http, path = invite_operator.http, "/api/operator/settings"
    http.post("/api/operator/invitations", json={})
    steps, confirmed = checklist(invite_operator)
    assert (steps["upstream"], steps["share"], confirmed) == (False, True, [])
    assert http.patch(path, json={"checklist_done": ["upstream"]}).status_code == 200
    steps, confirmed = checklist(invite_operator)
    assert (steps["upstream"], confirmed) == (True, ["upstream"])
    wrong = http.patch(path, json={"checklist_done": ["everything"]})
    assert problem_status(wrong) == 422
    assert http.patch(path, json={"checklist_done": None}).status_code == 200
    assert checklist(invite_operator)[1] == []
