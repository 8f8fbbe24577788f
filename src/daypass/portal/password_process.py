"""The process that hashes passwords and judges their strength, for `passwords.Passwords`.

Both are hard work: Argon2 fills 46 MiB, and zxcvbn, which is pure Python, takes 0.05 s of the
interpreter for some passwords. In a process of its own neither holds up the gateway. It reads one
JSON request a line and answers with one JSON value a line, until its input ends, which it does
when its parent ends, however that ends.
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
"""The `nice` value: beside a busy gateway, passwords get the smaller share of a core."""

MOST_SPELLINGS = 64
"""zxcvbn looks for words in every spelling that a password has when symbols stand for letters."""

# OWASP's Password Storage Cheat Sheet: 46 MiB, one pass, one lane. One lane is one core.
_hasher = PasswordHash((Argon2Hasher(memory_cost=47_104, time_cost=1, parallelism=1),))
_nobodys_hash = _hasher.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password."""
    return _hasher.hash(password)


def verify(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Return whether a password is right, and a new hash where the old one's cost is outdated.

    No hash (no such account) takes as long as a wrong password.
    """
    if not password_hash:
        _hasher.verify(password, _nobodys_hash)
        return False, None
    return _hasher.verify_and_update(password, password_hash)


def count_guesses(password: str, words: list[str]) -> float:
    """Return how many guesses a password withstands, `words` being among the first."""
    from zxcvbn import zxcvbn  # noqa: PLC0415  (its lists take a while to load)

    return float(zxcvbn(bounded(password), user_inputs=words)["guesses"])


def bounded(password: str) -> str:
    """Return a password's beginning that has at most `MOST_SPELLINGS` spellings.

    A password of all the symbols that can stand for a letter has 576 and takes zxcvbn 0.3 s. The
    beginning has eight different symbols or more, and is no harder to guess than the whole.
    """
    from zxcvbn.matching import L33T_TABLE, relevant_l33t_subtable  # noqa: PLC0415

    def spellings(text: str) -> int:
        return prod(map(len, relevant_l33t_subtable(text, L33T_TABLE).values()))

    end = len(password)
    while spellings(password[:end]) > MOST_SPELLINGS:
        end -= 1
    return password[:end]


WORK: dict[str, Callable[..., Any]] = {
    work.__name__: work for work in (hash_password, verify, count_guesses)
}


def main(lock_path: str) -> None:
    """Serve requests until the input ends.

    Processes that share the lock file take turns: together they use one core.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent.
    os.nice(PRIORITY)
    lock = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            answer = {"result": WORK[name](*arguments)}
        except Exception as error:  # Its words may hold the password.
            answer = {"fault": type(error).__name__}
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
