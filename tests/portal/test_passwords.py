"""Which passwords are taken."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daypass.portal.passwords import Passwords
from daypass.portal.problems import ProblemError
from daypass.settings import Settings
from tests.conftest import PASSWORD, Server
from tests.portal.test_portal import problem

SETTINGS = Settings(public_url="https://keys.lighthouse.example")
EMAIL = "ada.lovelace@analytical.example"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def passwords(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Passwords]:
    async with Passwords(tmp_path_factory.mktemp("passwords")) as queue:
        yield queue


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "qwertyuiop",
        "password123",
        "password1234",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "basketball",
        "ada.lovelace",
        "analytical.example",
        "lighthouse1",
        "daypassdaypass",
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_an_easy_one_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(ProblemError) as refused:
        async with passwords.turn() as turn:
            await turn.check_new(password, EMAIL, SETTINGS)
    assert refused.value.problem.status == 422


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "another horse, another battery",
        "xq7 mfw zrt",
        "пароль но длинный",
        "x" + "7k" * 40,
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_others_are_taken(passwords: Passwords, password: str) -> None:
    async with passwords.turn() as turn:
        await turn.check_new(password, EMAIL, SETTINGS)


def test_the_answer_says_so_beside_the_field(demo: Server) -> None:
    body = {"email": "easy@example.org", "password": "password1234"}
    assert problem(demo.client().post("/api/accounts", json=body), "password") == 422
    person = demo.sign_up()
    change = {"current_password": PASSWORD, "new_password": f"{person.email}"}
    assert problem(person.http.put("/api/account/password", json=change), "new_password") == 422
