"""Names for rows: a prefix that tells people what they look at, and 96 random bits."""

import secrets


def new_id(prefix: str) -> str:
    """A new identifier, such as `key_5f0c…`."""
    return f"{prefix}_{secrets.token_hex(12)}"
