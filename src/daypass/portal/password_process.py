"""The process that hashes passwords and estimates their strength, for `passwords.Passwords`.

Both are expensive: Argon2 uses 46 MiB, and zxcvbn, which is pure Python, holds the interpreter for
up to 0.05 s. In a separate process, neither delays the gateway. The process reads one JSON request
per line and writes one JSON response per line until its input ends, which happens whenever its
parent exits, even by a crash.
"""

import fcntl
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable
from math import prod
from typing import Any

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

PRIORITY = 5
"""The `nice` value: a busy gateway gets the larger share of the CPU."""

MAX_SPELLINGS = 64
"""zxcvbn looks for words in every spelling that a password has when symbols stand for letters."""

# OWASP's Password Storage Cheat Sheet: 46 MiB, one pass, one lane. One lane is one core.
_hasher = PasswordHash((Argon2Hasher(memory_cost=47_104, time_cost=1, parallelism=1),))
_dummy_hash = _hasher.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password."""
    return _hasher.hash(password)


def verify(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Return whether a password is right, and a new hash if the old one's cost is outdated.

    Without a hash (no such account) it takes as long as for a wrong password.
    """
    if not password_hash:
        _hasher.verify(password, _dummy_hash)
        return False, None
    return _hasher.verify_and_update(password, password_hash)


def count_guesses(password: str, words: list[str]) -> float:
    """Return an estimate of the guesses needed for a password, trying `words` early."""
    from zxcvbn import zxcvbn  # noqa: PLC0415  (its word lists are slow to load)

    return float(zxcvbn(bounded(password), user_inputs=words)["guesses"])


def bounded(password: str) -> str:
    """Return a password's beginning that has at most `MAX_SPELLINGS` spellings.

    A password of all the symbols that can stand for a letter has 576 and takes zxcvbn 0.3 s. The
    beginning has eight different symbols or more, and is no harder to guess than the whole.
    """
    from zxcvbn.matching import L33T_TABLE, relevant_l33t_subtable  # noqa: PLC0415

    def spellings(text: str) -> int:
        return prod(map(len, relevant_l33t_subtable(text, L33T_TABLE).values()))

    end = len(password)
    while spellings(password[:end]) > MAX_SPELLINGS:
        end -= 1
    return password[:end]


WORK: dict[str, Callable[..., Any]] = {
    work.__name__: work for work in (hash_password, verify, count_guesses)
}


def main(lock_path: str) -> None:
    """Serve requests until the input ends.

    Processes that share the lock file take turns, so that together they use one core.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent handles Ctrl-C.
    os.nice(PRIORITY)
    lock = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            answer = {"result": WORK[name](*arguments)}
        except Exception as error:  # Its message may contain the password.
            answer = {"fault": type(error).__name__}
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
