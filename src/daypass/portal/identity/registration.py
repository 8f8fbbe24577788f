"""What the other site knows this one by, and the client that speaks with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from httpx2 import HTTPError

from daypass.portal.identity.provider import IdentityError

TIMEOUT_S = 10

log = structlog.get_logger()


class Registration(NamedTuple):
    """What the other site knows this one by."""

    client_id: str
    client_secret: str
    redirect_uri: str

    @asynccontextmanager
    async def client(self, scope: str, **options: Any) -> AsyncIterator[AsyncOAuth2Client]:
        """A client for the authorization code flow with PKCE. Failures become IdentityError."""
        async with AsyncOAuth2Client(
            self.client_id,
            self.client_secret,
            scope=scope,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            **options,
        ) as client:
            try:
                yield client
            except (HTTPError, OAuthError, KeyError, TypeError, ValueError) as error:
                # Its words may hold a code or a token.
                log.warning("identity_provider_failed", reason=type(error).__name__)
                raise IdentityError("provider") from None


async def get_json(client: AsyncOAuth2Client, url: str, **options: Any) -> Any:
    """What the other site has at an address. Raises httpx2.HTTPError or ValueError."""
    response = await client.request("GET", url, **options)
    response.raise_for_status()
    return response.json()
