"""Passwords: Argon2id, off the event loop."""

import asyncio
import secrets
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

MIN_LENGTH = 10
MAX_LENGTH = 256

_hasher = PasswordHash((Argon2Hasher(),))


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe())


async def hash_password(password: str) -> str:
    """The Argon2id hash of a password."""
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is right. No hash (no such account) takes as long as a wrong one."""
    if password_hash is None:
        await asyncio.to_thread(lambda: _hasher.verify(password, _nobodys_hash()))
        return False
    return await asyncio.to_thread(_hasher.verify, password, password_hash)
