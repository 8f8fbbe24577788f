"""Requests generated from the portal's OpenAPI document (Schemathesis), with and without a session.

`make test` tries a few cases of each call, the same ones every time; `make soak` tries many, new
ones each time.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from daypass.app.factory import Daypass
from daypass.config.settings import Settings
from tests.conftest import PASSWORD, Person, Server, start_server

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
ENDS_SESSION = ("POST /api/accounts", "DELETE /api/session", "DELETE /api/account/sessions")

# pytest-xdist distributes tests by name, and these have one name for all calls.
pytestmark = pytest.mark.serial

# The live view never ends.
schema = schemathesis.openapi.from_dict(Daypass(Settings()).openapi()).exclude(
    path="/api/operator/live"
)
trials = settings(
    max_examples=EXAMPLES or 8,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Site:
    """A server, its operator, an account that may be signed out, and path parameters of existing
    objects."""

    server: Server
    operator: Person
    guest: Person
    real: dict[str, str]
    answers: Counter[int] = field(default_factory=Counter)
    """Number of responses by status."""

    def call(self, case: Any, **headers: str) -> None:
        """Make a call and check its response against the document."""
        # The schema does not express everything: a plan's id must be that of an existing plan.
        excluded = [positive_data_acceptance]
        if case.method == "GET":
            # The last of repeated parameters applies, and 0.0 is a whole number there.
            excluded.append(negative_data_rejection)
        headers = {"origin": self.server.url} | headers
        url = self.server.url
        answer = case.call_and_validate(url, headers=headers, excluded_checks=excluded)
        self.answers[answer.status_code] += 1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    server = start_server(tmp_path_factory.mktemp("fuzz"))
    operator, guest = server.sign_up(), server.sign_up()
    plan = {"id": "lab", "name": "Lab", "requests_per_day": 5}
    assert operator.http.post("/api/operator/usage-plans", json=plan).status_code == 201
    real = {
        "api_key_id": operator.create_key()["id"],
        "plan_id": plan["id"],
        "account_id": guest.http.get("/api/session").json()["id"],
    }
    site = Site(server, operator, guest, real)
    yield site
    assert operator.http.get("/api/operator/people").status_code == 200  # still signed in
    server.stop()
    counts = ", ".join(f"{count} of {status}" for status, count in sorted(site.answers.items()))
    print(f"\n{site.answers.total()} answers as described: {counts}")


@schema.parametrize()
@trials
def test_calls_without_a_session_match_the_openapi_document(case: Any, site: Site) -> None:
    site.call(case)


@schema.parametrize()
@trials
def test_calls_of_an_operator_match_the_openapi_document(case: Any, site: Site) -> None:
    http = site.operator.http
    if f"{case.method} {case.path}" in ENDS_SESSION:
        http = site.guest.http
        http.post("/api/session", json={"email": site.guest.email, "password": PASSWORD})
    names = set(case.path_parameters or ()) & set(site.real)
    if case.method != "DELETE" and names and len(str(case.path_parameters)) % 2:
        case.path_parameters |= {name: site.real[name] for name in names}
    if case.path.startswith("/api/chat/") and isinstance(case.body, dict):
        case.body |= {"api_key_id": site.real["api_key_id"]}
    site.call(case, cookie="; ".join(f"{name}={value}" for name, value in http.cookies.items()))
