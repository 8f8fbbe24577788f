"""Hosts, paths and headers must not reach another route. Docstrings name the incidents."""

import json
import re
from urllib.parse import urlsplit

import pytest

from tests.conftest import Person, Server
from tests.support.portal import contents, problem
from tests.support.talk import talk

HOSTS = (
    "x/v1",
    "x/api/site?",
    "127.0.0.1/v1/../api/site#",
    "user:password@127.0.0.1",
    "127.0.0.1, evil.example",
    "evil.example/api/usage-plans?x=",
    "",
)


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_header_does_not_bypass_authorisation(
    invite_site: Server, invite_operator: Person, host: str
) -> None:
    """LiteLLM CVE-2026-49468, Starlette CVE-2026-48710: Host poisoned the path that was checked,
    and keys could be created without signing in."""
    before = contents(invite_site)
    body = json.dumps({"name": "x", "usage_plan_id": "10RequestPerDay"})
    for method, path, refusals in (
        ("POST", "/api/api-keys", (400, 401, 403, 421)),
        ("GET", "/api/operator/people", (400, 401, 421)),
        ("DELETE", "/api/operator/api-keys/key_1", (400, 401, 403, 421)),
        ("GET", "/v1/key", (400, 401, 421)),
    ):
        lines = [f"{method} {path} HTTP/1.1", f"host: {host}", "connection: close"]
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
        lines += ["sec-fetch-site: same-origin"]
        answer = talk(invite_site.url, "\r\n".join([*lines, "", body]))
        assert answer.status in refusals, (path, answer)
    assert contents(invite_site) == before


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/api/operator/people",
        "http://evil.example/api/operator/people",
        "//api/operator/people",
        "/v1/../api/operator/people",
        "/api/site/../operator/people",
        "/api/site/%2e%2e/operator/people",
        "/api/operator/people/",
        "/api//operator/people",
        "/api/operator%2fpeople",
        "/API/operator/people",
    ],
)
def test_alternative_path_spellings_do_not_bypass_authorisation(
    invite_site: Server, invite_operator: Person, target: str
) -> None:
    """The admin routes of several similar products were open under another spelling."""
    answer = talk(invite_site.url, f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert answer.status in (307, 400, 401, 404), answer
    assert invite_operator.email not in answer.body


def test_method_and_path_override_headers_are_ignored(
    invite_site: Server, invited_person: Person
) -> None:
    """Frameworks and proxies honour these method and path overrides."""
    for name in ("x-original-url", "x-rewrite-url", "x-forwarded-prefix", "x-http-method-override"):
        value = "DELETE" if "method" in name else "/api/site"
        refused = invite_site.client().get("/api/operator/people", headers={name: value})
        assert problem(refused) == 401
    created = invited_person.create_key()
    invited_person.http.get(
        f"/api/api-keys/{created['id']}", headers={"x-http-method-override": "DELETE"}
    )
    invited_person.http.post("/api/api-keys?_method=DELETE", json={})
    (kept,) = invited_person.keys()
    assert kept["id"] == created["id"]


def test_a_redirect_stays_on_this_site(invite_site: Server) -> None:
    """Open redirect through a path that begins with two slashes."""
    for target in ("//evil.example/keys", "/keys", "/%2fevil.example/..", "/\\evil.example"):
        answer = talk(
            invite_site.url, f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        location = answer.headers.get("location", "")
        assert urlsplit(location).netloc in ("", "x"), location
        assert not re.match(r"[/\\]{2}", location), location
