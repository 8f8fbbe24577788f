"""The portal's own OpenAPI document turned against it (Schemathesis), with and without a session.

`make test` tries a few cases of each call, the same ones every time; `make soak` tries many, new
ones each time.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings

from daypass.app import Daypass
from daypass.settings import Settings
from tests.conftest import PASSWORD, Person, Server, start_server

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
SIGN_OUTS = ("/api/session", "/api/account/sessions")

schema = schemathesis.openapi.from_dict(Daypass(Settings()).openapi())
trials = settings(
    max_examples=EXAMPLES or 8,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("fuzz"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.sign_up()


@pytest.fixture(scope="module")
def real(site: Server, operator: Person) -> dict[str, str]:
    """What path parameters may be replaced with, so that more than 404 is tried."""
    key = operator.create_key()["id"]
    plan = {"id": "lab", "name": "Lab"}
    assert operator.http.post("/api/operator/usage-plans", json=plan).status_code == 201
    member = site.sign_up().http.get("/api/session").json()["id"]
    return {"api_key_id": key, "plan_id": "lab", "account_id": member}


def call(case: Any, site: Server, **headers: str) -> None:
    """Make a call and hold its answer to the document."""
    case.call_and_validate(base_url=site.url, headers={"origin": site.url} | headers)


@schema.parametrize()
@trials
def test_calls_without_a_session_are_answered_as_described(case: Any, site: Server) -> None:
    call(case, site)


@schema.parametrize()
@trials
def test_calls_of_an_operator_are_answered_as_described(
    case: Any, site: Server, operator: Person, real: dict[str, str]
) -> None:
    session = dict(operator.http.cookies)
    if case.method == "DELETE" and case.path in SIGN_OUTS:
        body = {"email": operator.email, "password": PASSWORD}
        headers = {"origin": site.url}
        session = dict(
            requests.post(f"{site.url}/api/session", json=body, headers=headers, timeout=30).cookies
        )
    names = set(case.path_parameters or ()) & set(real)
    if case.method != "DELETE" and names and len(str(case.path_parameters)) % 2:
        case.path_parameters |= {name: real[name] for name in names}
    if case.path.startswith("/api/chat/") and isinstance(case.body, dict):
        case.body |= {"api_key_id": real["api_key_id"]}
    call(case, site, cookie="; ".join(f"{name}={value}" for name, value in session.items()))
