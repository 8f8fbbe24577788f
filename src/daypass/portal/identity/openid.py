"""OpenID Connect with discovery: Google, Keycloak, Entra, Okta and others."""

from typing import Any

import structlog
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError
from joserfc.jwk import KeySet

from daypass.portal.identity.provider import Handshake, Identity, IdentityError
from daypass.portal.identity.registration import Registration, get_json

SCOPE = "openid email"
LEEWAY_S = 60
MAX_SUBJECT_LENGTH = 255
# Public-key signatures only: never `none`, nor HMAC, whose key could be known to others.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")

log = structlog.get_logger()


class OpenIdProvider:
    """An OpenID Connect Core 1.0 provider."""

    def __init__(self, issuer: str, registration: Registration) -> None:
        self._issuer = issuer
        self._registration = registration

    async def address(self, handshake: Handshake) -> str:
        """Return the URL at which the browser signs in. Raises IdentityError."""
        async with self._registration.client(SCOPE) as client:
            metadata = await self._metadata(client)
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=handshake.state,
                nonce=handshake.nonce,
                code_verifier=handshake.verifier,
            )
            return str(url)

    async def identify(self, code: str, handshake: Handshake) -> Identity:
        """Exchange the code for an ID token and return its identity. Raises IdentityError."""
        async with self._registration.client(SCOPE) as client:
            metadata = await self._metadata(client)
            methods = metadata.get("token_endpoint_auth_methods_supported")
            if methods and "client_secret_basic" not in methods:
                client.token_endpoint_auth_method = "client_secret_post"  # noqa: S105
            token = await client.fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=handshake.verifier
            )
            keys = await get_json(client, metadata["jwks_uri"], withhold_token=True)
            claims = self._claims(token["id_token"], keys, handshake.nonce)
            if "email" not in claims and "userinfo_endpoint" in metadata:
                claims = await self._userinfo_claims(client, metadata["userinfo_endpoint"], claims)
        is_verified = claims.get("email_verified") is True and "email" in claims
        return Identity(
            self._issuer, str(claims["sub"]), str(claims["email"]) if is_verified else None
        )

    async def _userinfo_claims(
        self, client: AsyncOAuth2Client, url: str, claims: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the UserInfo claims, where some providers put the address (Core, 5.3 and 5.4)."""
        userinfo: dict[str, Any] = await get_json(client, url)
        if userinfo["sub"] != claims["sub"]:
            raise IdentityError("token")
        return userinfo

    def _claims(self, id_token: str, keys: Any, nonce: str) -> dict[str, Any]:
        """Validate an ID token and return its claims (OpenID Connect Core, 3.1.3.7)."""
        client_id = self._registration.client_id
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": client_id},
            azp={"value": client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
        )
        try:
            token = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)
            rules.validate(token.claims)
            if len(str(token.claims["sub"])) > MAX_SUBJECT_LENGTH:
                raise InvalidClaimError("sub")
        except JoseError as error:
            log.warning("id_token_refused", reason=type(error).__name__)
            raise IdentityError("token") from None
        return token.claims

    async def _metadata(self, client: AsyncOAuth2Client) -> dict[str, Any]:
        """Return the provider's metadata (OpenID Connect Discovery 1.0, 4)."""
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        metadata: dict[str, Any] = await get_json(client, url, withhold_token=True)
        if metadata["issuer"] != self._issuer:
            raise ValueError("the provider describes another issuer")
        return metadata
