"""Which passwords are taken."""

import pytest

from daypass.portal.passwords import check_new_password
from daypass.portal.problems import ProblemError
from daypass.settings import Settings
from tests.conftest import PASSWORD, Server
from tests.portal.test_portal import problem

SETTINGS = Settings(public_url="https://keys.lighthouse.example")
EMAIL = "ada.lovelace@analytical.example"


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
async def test_an_easy_one_is_refused(password: str) -> None:
    with pytest.raises(ProblemError) as refused:
        await check_new_password(password, EMAIL, SETTINGS)
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
async def test_others_are_taken(password: str) -> None:
    await check_new_password(password, EMAIL, SETTINGS)


def test_the_answer_says_so_beside_the_field(demo: Server) -> None:
    body = {"email": "easy@example.org", "password": "password1234"}
    assert problem(demo.client().post("/api/accounts", json=body), "password") == 422
    person = demo.sign_up()
    change = {"current_password": PASSWORD, "new_password": f"{person.email}"}
    assert problem(person.http.put("/api/account/password", json=change), "new_password") == 422
