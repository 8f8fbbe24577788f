"""A portal with each enforcer, and a person signed in to it."""

from collections.abc import Iterator

import pytest

from tests.conftest import Person, Server, start_server
from tests.support.portal import invited


@pytest.fixture(params=["embedded", "aws"])
def site(request: pytest.FixtureRequest) -> Server:
    """A server with the demo model, for each enforcer: the portal behaves alike with both."""
    name = {"embedded": "demo", "aws": "behind_aws"}[request.param]
    server: Server = request.getfixturevalue(name)
    return server


@pytest.fixture
def person(site: Server) -> Person:
    return site.sign_up()


@pytest.fixture(scope="session")
def invite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server where sign-up needs an invitation."""
    server = start_server(tmp_path_factory.mktemp("invite"), DAYPASS_SIGN_UP="invite")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def invite_operator(invite_site: Server) -> Person:
    return invite_site.set_up()


@pytest.fixture
def invited_person(invite_site: Server, invite_operator: Person) -> Person:
    return invited(invite_site, invite_operator)
