"""Signed tokens, for links in mails and for a few cookies."""

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from daypass.domain.times import Clock


class Signer:
    """Signs JSON values with a purpose and an expiry (HMAC-SHA-256, by itsdangerous)."""

    def __init__(self, keys: tuple[str, ...], clock: Clock) -> None:
        """`keys[0]` signs and all keys verify. `clock` returns Unix time in seconds."""
        self.keys = keys
        self._clock = clock

    def sign(self, purpose: str, content: Any, lifetime_s: int) -> str:
        """Return a token that `read` accepts for the same purpose, for `lifetime_s` seconds."""
        token = self._serializer(purpose).dumps([int(self._clock()) + lifetime_s, content])
        return token if isinstance(token, str) else token.decode()

    def read(self, purpose: str, token: str) -> Any:
        """Return the signed content, or None if the token is invalid or expired."""
        try:
            expires_at, content = self._serializer(purpose).loads(token)
        except BadData:
            return None
        return content if self._clock() < expires_at else None

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            list(reversed(self.keys)),  # itsdangerous signs with the last key.
            salt=f"daypass {purpose}",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
