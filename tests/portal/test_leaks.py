"""Secrets stay out of the audit log and errors, and an empty one grants no access."""

import pytest

from daypass.domain import key_format
from tests.conftest import PASSWORD, Person, Server, StartServer, daypass
from tests.support.portal import problem, problem_status
from tests.support.talk import talk


def test_no_secret_is_in_the_audit_log_or_an_error(
    invite_site: Server, invite_operator: Person, invited_person: Person
) -> None:
    """LiteLLM: API keys in audit logs, exceptions and error messages."""
    created = invited_person.create_key()
    secret = created["key"]
    path = f"/api/operator/api-keys/{created['id']}"
    invite_operator.http.patch(path, json={"usage_plan_id": "20RequestPerDay"})
    invite_operator.http.delete(path)
    log = invite_operator.http.get("/api/operator/audit-log").text
    assert created["id"] in log
    assert created["last4"] in log
    assert secret not in log
    assert key_format.digest(secret) not in log
    for response in (
        invite_site.gateway(secret).get("/v1/key"),
        invited_person.http.patch(f"/api/api-keys/{secret}", json={}),
        invited_person.http.post(
            "/api/api-keys", json={"name": secret * 3, "usage_plan_id": secret}
        ),
        invited_person.http.post("/api/session", json={"email": secret, "password": secret}),
    ):
        assert response.status_code in (401, 404, 422)
        assert secret not in response.text


def status_of(url: str, path: str, *headers: str) -> int:
    lines = [f"GET {path} HTTP/1.1", "host: x", "connection: close", *headers, "", ""]
    return talk(url, "\r\n".join(lines)).status


@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_an_empty_secret_grants_no_access(
    invite_site: Server, invited_person: Person, empty: str
) -> None:
    """New API CVE-2026-41432: an unset secret compared equal to a missing one."""
    elsewhere = "x-forwarded-for: 192.0.2.1"
    for sent in ("x: y", f"authorization: Bearer {empty}", f"authorization:{empty}"):
        assert status_of(invite_site.url, "/metrics", elsewhere, sent) == 403
    for sent in (f"x-api-key:{empty}", f"authorization: Bearer {empty}", "authorization: Bearer"):
        assert status_of(invite_site.url, "/v1/key", sent) == 401
    for cookie in ("daypass_session=", f'daypass_session="{empty}"', "daypass_session"):
        assert status_of(invite_site.url, "/api/session", f"cookie: {cookie}") == 401
    http = invite_site.client()
    for password in (empty, None):
        body = {"email": invited_person.email, "password": password}
        assert problem_status(http.post("/api/session", json=body)) in (401, 422)
    for invitation in (empty, None):
        body = {"email": "x@example.org", "password": PASSWORD, "invitation": invitation}
        assert problem(http.post("/api/accounts", json=body)) == 403


def test_an_empty_secret_setting_counts_as_unset(start: StartServer) -> None:
    """The same for settings: an empty token grants no access."""
    server = start(DAYPASS_METRICS_TOKEN="", DAYPASS_UPSTREAM_API_KEY="", OPENAI_API_KEY=" ")
    for sent in ("authorization: Bearer ", "authorization:", "x: y"):
        assert status_of(server.url, "/metrics", "x-real-ip: 192.0.2.1", sent) == 403
    assert server.client().get("/api/site").json()["demo"] is True
    short = daypass("serve", DAYPASS_METRICS_TOKEN="x", DAYPASS_DATA_DIR=str(server.data_dir))
    assert short.returncode == 2
    assert "DAYPASS_METRICS_TOKEN" in short.stderr
