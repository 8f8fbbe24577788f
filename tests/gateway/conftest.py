"""A person with an API key on the relaying server."""

import pytest

from tests.conftest import Person, Server


@pytest.fixture
def person(relaying: Server) -> Person:
    return relaying.sign_up()


@pytest.fixture
def key(person: Person) -> str:
    secret: str = person.create_key()["key"]
    return secret
