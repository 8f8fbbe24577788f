"""A portal with each enforcer, and a person signed in to it."""

import pytest

from tests.conftest import Person, Server


@pytest.fixture(params=["embedded", "aws"])
def site(request: pytest.FixtureRequest) -> Server:
    """A server with the demo model: the portal is the same, whoever enforces the plans."""
    name = {"embedded": "demo", "aws": "behind_aws"}[request.param]
    server: Server = request.getfixturevalue(name)
    return server


@pytest.fixture
def person(site: Server) -> Person:
    return site.sign_up()
