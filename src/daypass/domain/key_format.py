"""The format of an API key: `dp_`, 32 random base62 characters, 6 of CRC-32 checksum.

An admin token has the same format with the prefix `dpa_`.

The checksum rejects typos without a database look-up, and lets secret scanners avoid false
positives. Only the SHA-256 digest of a key is stored: with 190 bits of randomness, a slow hash
would add no protection.
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

PREFIX = "dp_"
ADMIN_PREFIX = "dpa_"
PLAIN_PREFIX = "dp"
"""The prefix of keys for an enforcer that accepts only letters and digits."""
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
TAIL_LENGTH = RANDOM_LENGTH + CHECKSUM_LENGTH
KEY_LENGTH = len(PREFIX) + TAIL_LENGTH

_KEY_IN_TEXT = re.compile(
    rf"(?<![0-9A-Za-z]){PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}(?![0-9A-Za-z])"
)
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new API key. `secret` is shown to its owner once and never stored."""

    secret: str
    digest: str
    prefix: str
    last4: str

    def __repr__(self) -> str:
        return f"MintedKey({self.prefix}…{self.last4})"


def mint(prefix: str = PREFIX) -> MintedKey:
    """Return a new API key from the operating system's randomness."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_LENGTH))
    secret = prefix + body + checksum(body)
    return MintedKey(secret, digest(secret), secret[:8], secret[-4:])


def checksum(body: str) -> str:
    """Return the CRC-32 of the random part, as 6 base62 characters, most significant first."""
    number = zlib.crc32(body.encode("ascii"))
    characters = []
    for _ in range(CHECKSUM_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return "".join(reversed(characters))


def is_well_formed(secret: str, prefix: str = PREFIX) -> bool:
    """Return whether `secret` has the format of an API key and a valid checksum.

    With ADMIN_PREFIX: of an admin token.
    """
    if len(secret) != len(prefix) + TAIL_LENGTH or not secret.startswith(prefix):
        return False
    body = secret[len(prefix) : -CHECKSUM_LENGTH]
    return body.isascii() and body.isalnum() and secret.endswith(checksum(body))


def find_keys(words: str) -> list[str]:
    """Return every API key in a text, each once, in order. The checksum excludes look-alikes."""
    return [x for x in dict.fromkeys(_KEY_IN_TEXT.findall(words)) if is_well_formed(x)]


def digest(secret: str) -> str:
    """Return the SHA-256 of a key in hexadecimal, under which it is stored and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()
