"""The portal's own OpenAPI document turned against it (Schemathesis), with and without a session.

`make test` tries a few cases of each call, the same ones every time; `make soak` tries many, new
ones each time.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from daypass.app import Daypass
from daypass.settings import Settings
from tests.conftest import PASSWORD, Person, Server, start_server

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
WITH_ADDRESS = ("/api/accounts", "/api/password-resets")
SIGN_OUTS = ("/api/session", "/api/account/sessions")

schema = schemathesis.openapi.from_dict(Daypass(Settings()).openapi())
trials = settings(
    max_examples=EXAMPLES or 8,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Site:
    """A server, its operator, and what path parameters may be replaced with to find something."""

    server: Server
    operator: Person
    real: dict[str, str]

    def call(self, case: Any, **headers: str) -> None:
        """Make a call and hold its answer to the document."""
        # Not every address that has the form of one is taken: `a@b.test` is not.
        excluded = [positive_data_acceptance] if case.path in WITH_ADDRESS else []
        headers = {"origin": self.server.url} | headers
        case.call_and_validate(self.server.url, headers=headers, excluded_checks=excluded)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    server = start_server(tmp_path_factory.mktemp("fuzz"))
    operator, member = server.sign_up(), server.sign_up()
    plan = {"id": "lab", "name": "Lab"}
    assert operator.http.post("/api/operator/usage-plans", json=plan).status_code == 201
    real = {
        "api_key_id": operator.create_key()["id"],
        "plan_id": plan["id"],
        "account_id": member.http.get("/api/session").json()["id"],
    }
    yield Site(server, operator, real)
    server.stop()


@schema.parametrize()
@trials
def test_calls_without_a_session_are_answered_as_described(case: Any, site: Site) -> None:
    site.call(case)


@schema.parametrize()
@trials
def test_calls_of_an_operator_are_answered_as_described(case: Any, site: Site) -> None:
    http = site.operator.http
    if case.method == "DELETE" and case.path in SIGN_OUTS:
        http = site.server.client()
        http.post("/api/session", json={"email": site.operator.email, "password": PASSWORD})
    names = set(case.path_parameters or ()) & set(site.real)
    if case.method != "DELETE" and names and len(str(case.path_parameters)) % 2:
        case.path_parameters |= {name: site.real[name] for name in names}
    if case.path.startswith("/api/chat/") and isinstance(case.body, dict):
        case.body |= {"api_key_id": site.real["api_key_id"]}
    site.call(case, cookie="; ".join(f"{name}={value}" for name, value in http.cookies.items()))
