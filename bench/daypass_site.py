"""A Daypass data directory with as many keys as a measurement needs."""

import random
import sqlite3
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.process import clean_environment
from daypass.domain import key_format

PLAN = "bench"
KEYS_PER_ACCOUNT = 3
SETTINGS = f"""\
open_requests_per_key = 0
open_requests_per_account = 0
[[plans]]
id = "{PLAN}"
name = "More than a measurement uses"
requests_per_day = 1000000000
"""
BATCH = 50_000
CREATED_AT = 1_764_000_000


def make_site(
    directory: Path,
    keys: int,
    used: int,
    progress: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Write settings and a database of `keys` API keys, each of three to an account.

    Returns the secrets of `used` of them, spread evenly.
    """
    (directory / "daypass.toml").write_text(SETTINGS)
    command = [sys.executable, "-m", "daypass", "migrate"]
    subprocess.run(command, cwd=directory, env=clean_environment(), check=True, capture_output=True)
    secrets: list[str] = []
    every = max(1, keys // used)
    connection = sqlite3.connect(directory / "data" / "daypass.db")
    connection.execute("PRAGMA synchronous = OFF")
    # B-trees grow fastest in their own order: digests are sorted within a batch at least.
    for first in range(0, keys, BATCH):
        progress(f"{first:,} of {keys:,} keys")
        numbers = range(first, min(first + BATCH, keys))
        minted = dict(zip(numbers, _mint(first), strict=False))
        secrets += [key.secret for number, key in minted.items() if number % every == 0]
        with connection:
            _insert(connection, minted)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return secrets[:used]


def _insert(connection: sqlite3.Connection, minted: dict[int, key_format.MintedKey]) -> None:
    accounts = sorted({number // KEYS_PER_ACCOUNT for number in minted})
    connection.executemany(
        "INSERT OR IGNORE INTO account (id, email, password_hash, role, created_at)"
        " VALUES (?, ?, 'none', 'member', ?)",
        [(f"acct_{n:024d}", f"person{n}@example.org", CREATED_AT) for n in accounts],
    )
    connection.executemany(
        "INSERT INTO api_key (id, account_id, slot, usage_plan_id, name, prefix, last4,"
        " created_at) VALUES (?, ?, ?, ?, 'bench', ?, ?, ?)",
        [
            (
                f"key_{number:024d}",
                f"acct_{number // KEYS_PER_ACCOUNT:024d}",
                number % KEYS_PER_ACCOUNT + 1,
                PLAN,
                key.prefix,
                key.last4,
                CREATED_AT,
            )
            for number, key in minted.items()
        ],
    )
    connection.executemany(
        "INSERT INTO api_key_secret (digest, api_key_id) VALUES (?, ?)",
        sorted((key.digest, f"key_{number:024d}") for number, key in minted.items()),
    )


def _mint(seed: int) -> Iterator[key_format.MintedKey]:
    """Keys like `api_keys.mint`'s, but faster and deterministic. Not secure."""
    chance = random.Random(seed)
    alphabet = string.digits + string.ascii_letters
    while True:
        body = "".join(chance.choices(alphabet, k=key_format.RANDOM_LENGTH))
        secret = key_format.PREFIX + body + key_format.checksum(body)
        yield key_format.MintedKey(secret, key_format.digest(secret), secret[:8], secret[-4:])
