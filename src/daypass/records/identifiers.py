"""How rows are named, and how a secret that somebody presents is found without being stored."""

import hashlib
import secrets


def new_id(prefix: str) -> str:
    """A new identifier, such as `key_5f0c…`: a prefix for people, and 96 random bits."""
    return f"{prefix}_{secrets.token_hex(12)}"


def digest(text: str) -> str:
    """SHA-256 in hexadecimal, under which a session's or an invitation's token is stored."""
    return hashlib.sha256(text.encode()).hexdigest()
