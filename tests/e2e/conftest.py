"""One browser and as few servers as possible for all the tests of the site."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.conftest import Person, Server, start_server
from tests.e2e.browser import chromium
from tests.e2e.visit import DESKTOP, Visit, models_and
from tests.support.upstream import FakeUpstream


# Not session-scoped: asynchronous tests cannot run while Playwright does.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Person]]:
    """A server with the demo model and its operator, who has a key that has been used."""
    server = start_server(
        tmp_path_factory.mktemp("operated"),
        DAYPASS_SIGN_UP="invite",
        DAYPASS_SITE_REQUESTS_PER_DAY="100",
    )
    operator = server.set_up()
    with server.gateway(operator.create_key()["key"]) as api:
        assert api.post("/v1/embeddings", json={"input": "x", "model": "m"}).status_code == 200
    yield server, operator
    server.stop()


@pytest.fixture
def visit(browser: Browser, relaying: Server, upstream: FakeUpstream) -> Iterator[Visit]:
    """A browser at a server that relays to `upstream`."""
    upstream.reply = models_and(upstream.reply)
    visit = Visit(browser, relaying, DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    yield visit
    visit.close()


@pytest.fixture
def person(relaying: Server, visit: Visit) -> Person:
    """The person signed in on that server."""
    person = relaying.sign_up()
    visit.sign_in(person)
    return person
