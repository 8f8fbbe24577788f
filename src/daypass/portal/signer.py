"""What Daypass signs for somebody to bring back: links in mails, and a few cookies."""

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from daypass.domain.times import Clock


class Signer:
    """Signs JSON values for one purpose each, with an end (HMAC-SHA-256, by itsdangerous)."""

    def __init__(self, keys: tuple[str, ...], clock: Clock) -> None:
        """The first key signs, all verify. `clock` gives Unix time in seconds."""
        self.keys = keys
        self._clock = clock

    def sign(self, purpose: str, content: Any, lifetime_s: int) -> str:
        """A token that only `read` with the same purpose takes, for this long."""
        token = self._serializer(purpose).dumps([int(self._clock()) + lifetime_s, content])
        return token if isinstance(token, str) else token.decode()

    def read(self, purpose: str, token: str) -> Any:
        """What was signed; None for a token that is forged, damaged or past its end."""
        try:
            expires_at, content = self._serializer(purpose).loads(token)
        except BadData:
            return None
        return content if self._clock() < expires_at else None

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            list(reversed(self.keys)),  # itsdangerous signs with the last.
            salt=f"daypass {purpose}",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
