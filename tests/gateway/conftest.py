"""Somebody with a key at the server that relays."""

import pytest

from tests.conftest import Person, Server


@pytest.fixture
def person(relaying: Server) -> Person:
    return relaying.sign_up()


@pytest.fixture
def key(person: Person) -> str:
    secret: str = person.create_key()["key"]
    return secret
