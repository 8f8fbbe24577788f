"""This site's client registration at the identity provider, and its HTTP client."""

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
    """This site's client registration at the identity provider."""

    client_id: str
    client_secret: str
    redirect_uri: str

    @asynccontextmanager
    async def client(self, scope: str, **options: Any) -> AsyncIterator[AsyncOAuth2Client]:
        """Open a client for the authorization code flow with PKCE. Raises IdentityError."""
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
                # Its message may contain a code or a token.
                log.warning("identity_provider_failed", reason=type(error).__name__)
                raise IdentityError("provider") from None


async def get_json(client: AsyncOAuth2Client, url: str, **options: Any) -> Any:
    """GET a JSON document. Raises httpx2.HTTPError or ValueError."""
    response = await client.request("GET", url, **options)
    response.raise_for_status()
    return response.json()
