"""Passwords: which are accepted, and the queue in which they are hashed and checked."""

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
    "This password is too easy to guess: it is common, or made of common ones, of your address "
    "or of this site's name. Choose another, such as four words that nobody would expect."
)
BUSY = "So many people are signing in or up at this moment that you would wait too long. Try again."

MOST_WAITING = 300
"""At 40 ms each, with two worker processes on one machine, the last one waits 25 seconds."""
TOO_MANY_OF_ONE = "Too many attempts at once. Wait for the others to end."
MOST_OF_ONE = 5
"""Who may wait for one account from one place, or for one link: nobody needs more."""
RETRY_AFTER_S = 10
TURNS = 2
"""While one password is hashed, the database is asked about the next."""
WORK_S = 30
"""Seconds after which the password process is taken to hang."""

_PROGRAM = "daypass.portal.password_process"
_EASY_GUESSES = 12_000
_JUDGED_LENGTH = 32
_OWN_WORDS = ("daypass", "apikey", "openai")


def _compose(password: str) -> str:
    """The form in which a new password is kept (NFC; SP 800-63B-4, 3.1.1.2).

    Keyboards send the same letter as one code point or as two. Raises ValueError when too short.
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
    """Of a right password whose stored hash has outdated parameters."""


class PasswordTurn:
    """A turn in the queue: only with one can passwords be hashed and checked."""

    def __init__(self, passwords: "Passwords") -> None:
        self._passwords = passwords

    async def hash(self, password: str) -> str:
        """Return the Argon2id hash of a password."""
        hashed: str = await self._passwords.ask("hash_password", password)
        return hashed

    async def verify(self, password: str, password_hash: str | None) -> Verdict:
        """Check a password. No hash (no such account) takes as long as a wrong password.

        A password is right in its composed form, as it was typed (so were they kept before), and
        in its compatible form, such as ASCII letters for full-width ones.
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
        with words of the context (the site, the person), and for no rules of composition. zxcvbn
        does the comparing, with the variants that people think of (case, digits, keyboard walks),
        against 30,000 passwords and names; what falls within twelve thousand guesses is refused.
        At the pace that `throttles.py` allows, so many take five days.
        """
        # What is hard so far is no easier for its end, and the time grows with the square.
        judged = password[:_JUDGED_LENGTH]
        words = _words_of_context(email, settings)
        if await self._passwords.ask("count_guesses", judged, words) < _EASY_GUESSES:
            raise ProblemError(422, EASY, field=field)


class Passwords:
    """The queue of those whose password is to be hashed or checked, and the process that does it.

    One at a time on the whole machine, and only so many wait. Nobody holds a database connection
    while waiting, and no deadline runs.
    """

    def __init__(self, data_dir: Path) -> None:
        """`data_dir` is shared by the worker processes of one machine."""
        self._lock_path = data_dir / "passwords.lock"
        self._open: Counter[str] = Counter()
        self._turns = asyncio.Semaphore(TURNS)
        self._asking = asyncio.Lock()
        self._process: Process | None = None

    @contextlib.asynccontextmanager
    async def turn(self, subject: str) -> AsyncIterator[PasswordTurn]:
        """Wait for a turn and hold it, first come, first served.

        `subject` says who asks, so that one person cannot fill the queue: right passwords are not
        throttled. Raises ProblemError, at once: 503 when too many are waiting, 429 when too many
        of the same subject are.
        """
        if self._open[subject] >= MOST_OF_ONE:
            raise ProblemError(429, TOO_MANY_OF_ONE, retry_after_s=RETRY_AFTER_S)
        if self._open.total() >= MOST_WAITING:
            raise ProblemError(503, BUSY, retry_after_s=RETRY_AFTER_S)
        self._open[subject] += 1
        try:
            async with self._turns:
                yield PasswordTurn(self)
        finally:
            self._open -= Counter((subject,))

    async def ask(self, work: str, *arguments: Any) -> Any:
        """Let the process do a piece of work; for `PasswordTurn`."""
        request = json.dumps([work, arguments]).encode() + b"\n"
        async with self._asking:
            try:
                answer = await self._exchange(request)
            except (OSError, TimeoutError, ValueError) as error:
                # It was killed, perhaps for memory. The next one starts from nothing.
                log.warning("password_process_failed", reason=type(error).__name__)
                answer = await self._exchange(request)
        if "fault" in answer:
            raise RuntimeError(f"the password process failed: {answer['fault']}")
        return answer["result"]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """End the process."""
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
            # An answer that comes later would be taken for the next one's.
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
    """What somebody who knows the person and the site would try first."""
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
