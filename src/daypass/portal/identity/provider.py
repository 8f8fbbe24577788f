"""The interface of identity providers."""

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
    "terms",
    "throttled",
    "token",
    "unverified",
]
"""Why a sign-in failed; the sign-in page has a message for each."""


class IdentityError(Exception):
    """The sign-in failed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Identity(NamedTuple):
    """A person's identity at the provider."""

    issuer: str
    subject: str
    email: str | None
    """None if the provider has not verified it."""


class Handshake(NamedTuple):
    """Random values that tie the callback to the browser that began the sign-in."""

    state: str
    nonce: str
    verifier: str
    """The PKCE code verifier (RFC 7636)."""

    @staticmethod
    def new() -> "Handshake":
        """Return a handshake of random values."""
        return Handshake(*(secrets.token_urlsafe(32) for _ in Handshake._fields))


class IdentityProvider(Protocol):
    """A site with whose accounts people can sign in."""

    async def address(self, handshake: Handshake) -> str:
        """Return the URL at which the browser signs in. Raises IdentityError."""

    async def identify(self, code: str, handshake: Handshake) -> Identity:
        """Exchange the code for the person's identity. Raises IdentityError."""
