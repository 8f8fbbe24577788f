"""Passwords: which are taken, and Argon2id, off the event loop."""

import asyncio
import secrets
from functools import cache
from typing import Annotated
from urllib.parse import urlsplit

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Field

from daypass.portal.problems import ProblemError
from daypass.records.accounts import NO_PASSWORD
from daypass.settings import Settings

MIN_LENGTH = 10
MAX_LENGTH = 256

EASY = (
    "This password is too easy to guess: it is common, or made of common ones, of your address "
    "or of this site's name. Choose another, such as four words that nobody would expect."
)

_EASY_GUESSES = 12_000
_JUDGED_LENGTH = 32
_OWN_WORDS = ("daypass", "apikey", "openai")

NewPassword = Annotated[str, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
GivenPassword = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]

_hasher = PasswordHash((Argon2Hasher(),))


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe())


async def check_new_password(
    password: str, email: str, settings: Settings, field: str = "password"
) -> None:
    """Raise 422 for a password that is too easy to guess.

    NIST SP 800-63B-4 (3.1.1.2) asks for a length, for a comparison with common passwords and
    with words of the context (the site, the person), and for no rules of composition. zxcvbn
    does the comparing, with the variants that people think of (case, digits, keyboard walks),
    against 30,000 passwords and names; what falls within twelve thousand guesses is refused. At
    the pace that `throttles.py` allows so many take five days.
    """
    host = urlsplit(settings.public_url or "").hostname or ""
    local, _, domain = email.lower().partition("@")
    words = [
        *_OWN_WORDS,
        email.lower(),
        local,
        *local.replace("-", ".").split("."),
        domain,
        *host.split("."),
    ]
    if await asyncio.to_thread(_is_easy, password, [word for word in words if len(word) > 2]):
        raise ProblemError(422, EASY, field=field)


def _is_easy(password: str, words: list[str]) -> bool:
    from zxcvbn import zxcvbn  # noqa: PLC0415  (its lists take a while to load)

    # Longer ones can take it seconds, and what is hard so far is no easier for its end.
    guesses: int = zxcvbn(password[:_JUDGED_LENGTH], user_inputs=words)["guesses"]
    return guesses < _EASY_GUESSES


async def hash_password(password: str) -> str:
    """The Argon2id hash of a password."""
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is right. No hash (no such account) takes as long as a wrong one."""
    if password_hash is None or password_hash == NO_PASSWORD:
        await asyncio.to_thread(lambda: _hasher.verify(password, _nobodys_hash()))
        return False
    return await asyncio.to_thread(_hasher.verify, password, password_hash)
