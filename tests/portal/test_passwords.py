"""Which passwords are accepted."""

from collections.abc import AsyncIterator
from unicodedata import normalize

import pytest
import pytest_asyncio

from daypass.config.settings import Settings
from daypass.portal.password_process import bounded
from daypass.portal.passwords import Passwords
from daypass.portal.problems import ProblemError
from tests.conftest import PASSWORD, Server
from tests.support.portal import problem

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
async def test_easy_passwords_are_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(ProblemError) as refused:
        async with passwords.turn("somebody") as turn:
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
async def test_strong_passwords_are_accepted(passwords: Passwords, password: str) -> None:
    async with passwords.turn("somebody") as turn:
        await turn.check_new(password, EMAIL, SETTINGS)


def test_rating_a_password_takes_bounded_time() -> None:
    """zxcvbn tries every spelling: 576 if each of these symbols may stand for a letter."""
    assert bounded("4@8({[<3690!|17$5+%24@8({[<3690!") == "4@8({[<3690!|"
    for whole in ("1234567890-correct-horse", PASSWORD, ""):
        assert bounded(whole) == whole


def test_a_weak_password_error_names_its_field(demo: Server) -> None:
    body = {"email": "easy@example.org", "password": "password1234"}
    assert problem(demo.client().post("/api/accounts", json=body), "password") == 422
    person = demo.sign_up()
    change = {"current_password": PASSWORD, "new_password": f"{person.email}"}
    assert problem(person.http.put("/api/account/password", json=change), "new_password") == 422


@pytest.mark.parametrize(
    ("kept", "typed", "is_right"),
    [
        ("\u00e9t\u00e9 \u00e0 la mer", "e\u0301te\u0301 a\u0300 la mer", True),
        # Stored before passwords were normalised.
        ("e\u0301te\u0301 a\u0300 la mer", "e\u0301te\u0301 a\u0300 la mer", True),
        ("wide horse 42", "\uff57\uff49\uff44\uff45\u3000horse 42", True),
        ("\u00e9t\u00e9 \u00e0 la mer", "ete a la mer", False),
        ("\u00e9t\u00e9 \u00e0 la mer", "e\u0301te\u0301 a\u0300 la Mer", False),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_passwords_match_in_any_unicode_encoding(
    passwords: Passwords, kept: str, typed: str, is_right: bool
) -> None:
    async with passwords.turn("somebody") as turn:
        kept_hash = await turn.hash(kept)
        assert (await turn.verify(typed, kept_hash)).is_right is is_right


def test_new_passwords_are_normalised_to_nfc(demo: Server) -> None:
    body = {
        "email": "jose\u0301@decomposed.example",
        "password": "planted-e\u0301te\u0301 a la mer",
    }
    assert demo.client().post("/api/accounts", json=body).status_code == 201
    composed = {name: normalize("NFC", value) for name, value in body.items()}
    for typed in (composed, body):
        assert demo.client().post("/api/session", json=typed).status_code == 200
    # Ten code points as typed, but five letters.
    short = {"email": "short@decomposed.example", "password": "e\u0301o\u0301a\u0300u\u0301i\u0300"}
    assert problem(demo.client().post("/api/accounts", json=short), "password") == 422
