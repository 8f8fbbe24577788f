"""Security headers of the site's pages and the portal's responses.

Content Security Policy Level 3 (W3C). Exported pages are static and cannot contain a nonce, so
the policy allows Next.js's inline scripts by the SHA-256 of their exact bytes.
"""

import base64
import hashlib
import re
from urllib.parse import urlsplit, urlunsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANSWER_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""The policy of JSON responses: if a browser renders one as a page, it can do nothing."""

ONE_YEAR_S = 31_536_000

_INLINE_SCRIPT = re.compile(
    rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE
)

_UNUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)


def page_policy(page: bytes, gateway_url: str | None = None) -> str:
    """Return the `Content-Security-Policy` of an exported page.

    `gateway_url` is the gateway's URL if it is not on the page's own origin.
    """
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page))
    hashes = dict.fromkeys(f"'sha256-{base64.b64encode(x).decode()}'" for x in digests)
    called = [urlunsplit((*urlsplit(gateway_url)[:2], "", "", ""))] if gateway_url else []
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *hashes)),
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "manifest-src 'self'",
            " ".join(("connect-src 'self'", *called)),
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        )
    )


def security_headers(public_url: str | None) -> dict[str, str]:
    """Return the headers of every response; with HSTS (RFC 6797) if `public_url` is https."""
    headers = {
        "content-security-policy": ANSWER_POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
    }
    if public_url and urlsplit(public_url).scheme == "https":
        headers["strict-transport-security"] = f"max-age={ONE_YEAR_S}"
    return headers


class WithHeaders:
    """ASGI middleware that adds these headers to responses that do not set them.

    It also reduces redirects within the site to a path (RFC 9110, section 10.2.2), because behind
    a proxy this process does not know the scheme that the browser used.
    """

    def __init__(self, application: ASGIApp, headers: dict[str, str]) -> None:
        self._application = application
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application and complete the headers of its response."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [_to_path(scope, *pair) for pair in message["headers"]]
                given = {name for name, _ in message["headers"]}
                added = (pair for pair in self._headers if pair[0] not in given)
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._application(scope, receive, complete)


def _to_path(scope: Scope, name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a header, reducing a redirect to the request's own host to its path.

    Leading slashes are merged: `//` would start another host's name (RFC 3986, section 4.2).
    """
    host = dict(scope["headers"]).get(b"host", b"")
    own = b"%b://%b/" % (scope["scheme"].encode(), host)
    if name == b"location" and value.startswith(own):
        return name, b"/" + value.removeprefix(own).lstrip(b"/\\")
    return name, value
