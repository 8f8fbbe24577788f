"""GitHub: OAuth 2.0 and its API for the identity. It has no OpenID Connect for users."""

from typing import Any

from daypass.config.sign_in import GITHUB
from daypass.portal.identity.provider import Handshake, Identity
from daypass.portal.identity.registration import Registration, get_json

SCOPE = "read:user user:email"
API = "https://api.github.com"
ACCEPT = {"accept": "application/vnd.github+json"}


class GitHub:
    """GitHub's web application flow, with PKCE (docs.github.com, "Authorizing OAuth apps")."""

    def __init__(self, registration: Registration, site: str = GITHUB, api: str = API) -> None:
        self._registration = registration
        self._site = site
        self._api = api

    async def address(self, handshake: Handshake) -> str:
        """Return the URL at which the browser signs in. Raises IdentityError."""
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                f"{self._site}/login/oauth/authorize",
                state=handshake.state,
                code_verifier=handshake.verifier,
            )
            return str(url)

    async def identify(self, code: str, handshake: Handshake) -> Identity:
        """Exchange the code for the person's identity. Raises IdentityError."""
        async with self._client() as client:
            await client.fetch_token(
                f"{self._site}/login/oauth/access_token",
                code=code,
                code_verifier=handshake.verifier,
            )
            user = await get_json(client, f"{self._api}/user", headers=ACCEPT)
            emails = await get_json(client, f"{self._api}/user/emails", headers=ACCEPT)
            verified = [x["email"] for x in emails if x["primary"] and x["verified"] is True]
            return Identity(self._site, str(user["id"]), verified[0] if verified else None)

    def _client(self) -> Any:
        return self._registration.client(SCOPE, token_endpoint_auth_method="client_secret_post")  # noqa: S106
