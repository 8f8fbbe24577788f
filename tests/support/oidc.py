"""A real OpenID provider with GitHub's API beside it, which validates requests."""

import base64
import hashlib
import itertools
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.local_server import LocalServer

CLIENT_ID = "daypass-of-tests"
CLIENT_SECRET = "the secret of the tests"

_numbers = itertools.count(1)


@dataclass
class OidcProvider(LocalServer):
    """Signs in every request at once, as the user and with the faults that a test chooses."""

    signing_key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))

    def __post_init__(self) -> None:
        self.reset()
        self._codes: dict[str, dict[str, str]] = {}
        self._other_key = RSAKey.generate_key(2048)
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/jwks", self._keys),
                Route("/userinfo", self._userinfo),
                Route("/login/oauth/authorize", self._authorize),
                Route("/login/oauth/access_token", self._token, methods=["POST"]),
                Route("/api/user", self._user),
                Route("/api/user/emails", self._emails),
            ]
        )
        super().__init__(app)

    def reset(self) -> None:
        """Switch to a new user and clear all faults."""
        self.subject = f"subject-{next(_numbers)}"
        self.email = f"{self.subject}@example.org"
        self.claims: dict[str, Any] = {}
        """Overrides for the claims of an ID token; None removes a claim."""
        self.error = ""
        """The error to return instead of a code."""
        self.redirect_uri = ""
        """The registered redirect URI; any is accepted while it is empty."""
        self.emails: list[dict[str, Any]] = []
        """The person's addresses as GitHub returns them."""
        self.forged = False
        """Whether tokens are signed with an unpublished key."""
        self.down = False
        self.userinfo: dict[str, Any] = {}
        """Return the user information served beside the ID token."""

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DAYPASS_OIDC_ISSUER": self.url,
            "DAYPASS_OIDC_CLIENT_ID": CLIENT_ID,
            "DAYPASS_OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "DAYPASS_OIDC_NAME": "Lighthouse",
        }

    async def _describe(self, _request: Request) -> Response:
        if self.down:
            return JSONResponse({}, 503)
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.signing_key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked["client_id"] != CLIENT_ID or asked["response_type"] != "code":
            return JSONResponse({"error": "unauthorized_client"}, 400)
        if self.redirect_uri and asked["redirect_uri"] != self.redirect_uri:
            return JSONResponse({"error": "redirect_uri"}, 400)
        if asked.get("code_challenge_method") != "S256":
            return JSONResponse({"error": "PKCE is required"}, 400)
        answer = {"state": asked["state"]}
        if self.error:
            answer["error"] = self.error
        else:
            answer["code"] = secrets.token_urlsafe()
            self._codes[answer["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        sent = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        # A code works once.
        asked = self._codes.pop(sent.get("code", ""), None)
        if asked is None or sent["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if not _is_client(request, sent):
            return JSONResponse({"error": "invalid_client"}, 401)
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = {"access_token": "at-of-tests", "token_type": "Bearer"}
        if "nonce" in asked:
            token["id_token"] = self._id_token(asked["nonce"])
        return JSONResponse(token)

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": self.email,
            "email_verified": True,
        }
        told = {name: value for name, value in (claims | self.claims).items() if value is not None}
        key = self._other_key if self.forged else self.signing_key
        return jwt.encode({"alg": "RS256", "kid": self.signing_key.kid}, told, key)

    async def _userinfo(self, request: Request) -> Response:
        return _for_bearer(request, self.userinfo)

    async def _user(self, request: Request) -> Response:
        return _for_bearer(request, {"id": 583231, "login": "octocat", "email": None})

    async def _emails(self, request: Request) -> Response:
        return _for_bearer(request, self.emails)


def _for_bearer(request: Request, content: Any) -> Response:
    is_theirs = request.headers.get("authorization") == "Bearer at-of-tests"
    return JSONResponse(content if is_theirs else {}, 200 if is_theirs else 401)


def _is_client(request: Request, sent: dict[str, str]) -> bool:
    expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    by_header = request.headers.get("authorization") == f"Basic {expected}"
    by_body = (sent.get("client_id"), sent.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
    return by_header or by_body


def parameters(url: str) -> dict[str, str]:
    """Return the query parameters of a URL."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
