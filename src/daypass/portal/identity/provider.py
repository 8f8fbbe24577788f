"""What Daypass asks of another site by which people sign in."""

import secrets
from typing import Literal, NamedTuple, Protocol

Reason = Literal[
    "cancelled",
    "closed",
    "disabled",
    "domain",
    "email_taken",
    "not_invited",
    "provider",
    "state",
    "throttled",
    "token",
    "unverified",
]
"""Why somebody could not sign in; the sign-in page has words for each."""


class IdentityError(Exception):
    """Somebody cannot be signed in."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Identity(NamedTuple):
    """Who somebody is at the other site."""

    issuer: str
    subject: str
    email: str | None
    """None: the other site has not seen that it is his."""


class Handshake(NamedTuple):
    """What ties the browser that comes back to the one that left."""

    state: str
    nonce: str
    verifier: str
    """Of PKCE (RFC 7636)."""

    @staticmethod
    def new() -> "Handshake":
        """A handshake that nobody can guess."""
        return Handshake(*(secrets.token_urlsafe(32) for _ in Handshake._fields))


class IdentityProvider(Protocol):
    """Another site by which people sign in."""

    async def address(self, handshake: Handshake) -> str:
        """Where the browser goes to sign in. Raises IdentityError."""

    async def identify(self, code: str, handshake: Handshake) -> Identity:
        """Who has come back with this code. Raises IdentityError."""
