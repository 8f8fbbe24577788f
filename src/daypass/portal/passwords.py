"""The password policy, and the queue for hashing and checking passwords."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self
from unicodedata import normalize
from urllib.parse import urlsplit

import structlog
from pydantic import AfterValidator, Field

from daypass.config.file import ENV_PREFIX
from daypass.config.settings import Settings
from daypass.portal.problems import ProblemError

MIN_LENGTH = 10
MAX_LENGTH = 256

EASY = (
    "This password is too easy to guess: it is common, or made of common ones, your address or "
    "this site's name. Choose another, such as four unrelated words."
)
BUSY = "Too many people are signing in or up right now. Please try again in a few seconds."

TOO_MANY_OF_ONE = "Too many attempts at once. Wait until the others have been answered."
MAX_WAITING = 300
"""At 40 ms each and two worker processes per machine, the last one waits 25 seconds."""
MAX_OF_SUBJECT = 5
"""Requests that may wait for one account from one browser or IP address, or for one link."""
RETRY_AFTER_S = 10
TURNS = 2
"""Two, so that the database is queried for the next password while one is hashed."""
WORK_S = 30
"""Seconds after which the password process is considered hung."""

_PROGRAM = "daypass.portal.password_process"
_EASY_GUESSES = 12_000
_JUDGED_LENGTH = 32
_OWN_WORDS = ("daypass", "apikey", "openai")


def _compose(password: str) -> str:
    """Return the form in which a new password is hashed (NFC; SP 800-63B-4, 3.1.1.2).

    Keyboards may send the same letter as one code point or two. Raises ValueError if too short.
    """
    composed = normalize("NFC", password)
    if len(composed) < MIN_LENGTH:
        raise ValueError(f"use at least {MIN_LENGTH} characters")
    return composed


NewPassword = Annotated[
    str, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH), AfterValidator(_compose)
]
GivenPassword = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]

log = structlog.get_logger()


class Verdict(NamedTuple):
    """Whether a password is right."""

    is_right: bool
    better_hash: str | None = None
    """A new hash, if the password is right and its stored hash has outdated parameters."""


class PasswordTurn:
    """A turn in the queue. Passwords are hashed and checked only within one."""

    def __init__(self, passwords: "Passwords") -> None:
        self._passwords = passwords

    async def hash(self, password: str) -> str:
        """Return the Argon2id hash of a password."""
        hashed: str = await self._passwords.ask("hash_password", password)
        return hashed

    async def verify(self, password: str, password_hash: str | None) -> Verdict:
        """Check a password. Without a hash (no such account) it takes as long as a wrong one.

        Accepts the password in NFC, as typed (older versions hashed it unchanged), and in NFKC,
        which for example turns full-width letters into ASCII.
        """
        composed, compatible = normalize("NFC", password), normalize("NFKC", password)
        verdict = Verdict(is_right=False)
        for spelling in dict.fromkeys((composed, password, compatible)):
            verdict = Verdict(*await self._passwords.ask("verify", spelling, password_hash))
            if verdict.is_right:
                break
        return verdict

    async def check_new(
        self, password: str, email: str, settings: Settings, field: str = "password"
    ) -> None:
        """Raise ProblemError 422 for a password that is too easy to guess.

        NIST SP 800-63B-4 (3.1.1.2) asks for a length, for a comparison with common passwords and
        with words of the context (the site, the person), and forbids composition rules. zxcvbn
        compares with 30,000 passwords and names, including common variants (case, digits, keyboard
        walks). Passwords that need fewer than 12,000 guesses are refused. At the rate that
        `throttles.py` allows, that many guesses take five days.
        """
        # More characters never make a password easier to guess, and zxcvbn's time is quadratic.
        judged = password[:_JUDGED_LENGTH]
        words = _words_of_context(email, settings)
        if await self._passwords.ask("count_guesses", judged, words) < _EASY_GUESSES:
            raise ProblemError(422, EASY, field=field)


class Passwords:
    """A bounded queue for hashing and checking passwords, and the process that does the work.

    The whole machine works on one password at a time. A waiting request holds no database
    connection and has no deadline.
    """

    def __init__(self, data_dir: Path) -> None:
        """`data_dir` must be shared by all worker processes of the machine."""
        self._lock_path = data_dir / "passwords.lock"
        self._open: Counter[str] = Counter()
        self._turns = asyncio.Semaphore(TURNS)
        self._asking = asyncio.Lock()
        self._process: Process | None = None

    @contextlib.asynccontextmanager
    async def turn(self, subject: str) -> AsyncIterator[PasswordTurn]:
        """Wait for a turn, first come, first served, and hold it.

        `subject` identifies who asks, so that one person cannot fill the queue: correct passwords
        are not throttled. Raises ProblemError immediately: 503 if too many requests are waiting,
        429 if too many of the same subject are.
        """
        if self._open[subject] >= MAX_OF_SUBJECT:
            raise ProblemError(429, TOO_MANY_OF_ONE, retry_after_s=RETRY_AFTER_S)
        if self._open.total() >= MAX_WAITING:
            raise ProblemError(503, BUSY, retry_after_s=RETRY_AFTER_S)
        self._open[subject] += 1
        try:
            async with self._turns:
                yield PasswordTurn(self)
        finally:
            self._open -= Counter((subject,))

    async def ask(self, work: str, *arguments: Any) -> Any:
        """Call a function of the password process. Only `PasswordTurn` uses this."""
        request = json.dumps([work, arguments]).encode() + b"\n"
        async with self._asking:
            try:
                answer = await self._exchange(request)
            except (OSError, TimeoutError, ValueError) as error:
                # It was killed, perhaps for lack of memory. Retry once with a new process.
                log.warning("password_process_failed", reason=type(error).__name__)
                answer = await self._exchange(request)
        if "fault" in answer:
            raise RuntimeError(f"the password process failed: {answer['fault']}")
        return answer["result"]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()

    async def _exchange(self, request: bytes) -> Any:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await self._start()
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        try:
            async with asyncio.timeout(WORK_S):
                process.stdin.write(request)
                await process.stdin.drain()
                return json.loads(await process.stdout.readline())
        except BaseException:
            # A late response would be mistaken for that to the next request.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            self._process = None
            raise

    async def _start(self) -> Process:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(ENV_PREFIX)}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _PROGRAM,
            str(self._lock_path.absolute()),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=environment,
        )


def _words_of_context(email: str, settings: Settings) -> list[str]:
    """Return the words that an attacker who knows the person and the site would try first."""
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
    return [word for word in words if len(word) > 2]
