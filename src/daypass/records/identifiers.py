"""Identifiers of rows, and digests by which presented secrets are found without being stored."""

import hashlib
import secrets


def new_id(prefix: str) -> str:
    """Return a new identifier, such as `key_5f0c…`: a readable prefix and 96 random bits."""
    return f"{prefix}_{secrets.token_hex(12)}"


def digest(text: str) -> str:
    """Return the SHA-256 digest, in hexadecimal, under which a token is stored."""
    return hashlib.sha256(text.encode()).hexdigest()
