"""Encryption of upstream keys at rest: AES-256-GCM with a key derived from the secret key."""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
KEY_BYTES = 32
PURPOSE = b"daypass upstream keys 1"


class SealBrokenError(Exception):
    """A text cannot be decrypted with any of the secret keys, or was not sealed for this use."""


class KeySealer:
    """Encrypts and decrypts upstream keys.

    A sealed key can only be opened with the context with which it was sealed. Anyone who can change
    the database can therefore not have a key sent to another address.
    """

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        """`secret_keys[0]` encrypts, and every one decrypts."""
        self._ciphers = tuple(AESGCM(_derived(key)) for key in secret_keys)

    def seal(self, text: str, context: str) -> str:
        """Return a text encrypted with the newest secret key."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(nonce, text.encode(), context.encode())
        return base64.b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, context: str) -> str:
        """Return a sealed text. Raises SealBrokenError."""
        return self._unsealed(sealed, context)[1]

    def renewed(self, sealed: str, context: str) -> str | None:
        """Return a sealed text encrypted again, or None if the newest secret key encrypted it.

        Raises SealBrokenError.
        """
        number, text = self._unsealed(sealed, context)
        return self.seal(text, context) if number else None

    def _unsealed(self, sealed: str, context: str) -> tuple[int, str]:
        """Return the number of the secret key that decrypts a text, and the text."""
        try:
            whole = base64.b64decode(sealed, validate=True)
        except ValueError:
            raise SealBrokenError from None
        nonce, content = whole[:NONCE_BYTES], whole[NONCE_BYTES:]
        for number, cipher in enumerate(self._ciphers):
            try:
                return number, cipher.decrypt(nonce, content, context.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise SealBrokenError


def _derived(secret_key: str) -> bytes:
    """Return the encryption key of a secret key (HKDF, RFC 5869)."""
    derivation = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=PURPOSE)
    return derivation.derive(secret_key.encode())
