"""How fast Lighthouse finds the pages, on a phone of its making: `make lighthouse`.

A machine that is busy elsewhere scores less, so this is no part of `make test`.
"""

import pytest

from tests.conftest import Person, Server
from tests.e2e.test_lighthouse import scores

TRIES = 3


@pytest.fixture(scope="module")
def person(demo: Server) -> Person:
    person = demo.sign_up()
    person.create_key()
    return person


def best(address: str, cookie: str = "") -> int:
    found = [scores(address, "performance", cookie)["performance"] for _ in range(TRIES)]
    print(f"{address} {found}")
    return max(found)


@pytest.mark.timeout(320)
@pytest.mark.parametrize("path", ["/", "/sign-in/", "/docs/"])
def test_public_pages(demo: Server, path: str) -> None:
    assert best(f"{demo.url}{path}") >= 95


@pytest.mark.timeout(320)
@pytest.mark.parametrize("path", ["/keys/", "/chat/", "/usage/"])
def test_signed_in_pages(demo: Server, person: Person, path: str) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    assert best(f"{demo.url}{path}", cookie) >= 90
