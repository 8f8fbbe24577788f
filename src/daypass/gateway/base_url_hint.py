"""A hint for clients whose base URL does not end in `/v1`, or ends in it twice."""

import re

from daypass.gateway.errors import GatewayError
from daypass.gateway.response_writer import ResponseWriter
from daypass.http.types import Receive, Scope, Send

# Paths that OpenAI and Anthropic clients append to their base URL. None is a page of the site.
_API_PATH = re.compile(
    r"(?:chat/completions|completions|responses|embeddings|models|messages|moderations"
    r"|images/(?:generations|edits|variations)|audio/(?:speech|transcriptions|translations)"
    r"|files|uploads|batches|fine_tuning|vector_stores|assistants|threads|conversations"
    r"|containers|evals|videos|realtime|engines|deployments|key)(?:/.*)?",
    re.IGNORECASE,
)
# Prefixes that may precede them. The portal has no route `/api/v1`.
_PREFIX = re.compile(r"/+(?:(?:api|openai|v1|v1beta|v1/openai)/+)*", re.IGNORECASE)
_PORTAL = re.compile(r"/api/(?!/*v1/)", re.IGNORECASE)


def is_api_call(scope: Scope, *, is_page: bool) -> bool:
    """Return whether a request outside `/v1/` comes from a client with a wrong base URL."""
    path = scope.get("path", "")
    # Pages accept only GET and HEAD, so any other method is meant for the API.
    if is_page and scope.get("method", "GET") not in ("GET", "HEAD"):
        return True
    if _PORTAL.match(path):
        return False
    prefix = _PREFIX.match(path)
    return prefix is not None and _API_PATH.fullmatch(path, prefix.end()) is not None


class BaseUrlHint:
    """An ASGI application that answers such requests with a 404 in OpenAI's error format."""

    def __init__(self, base_url: str | None) -> None:
        """Create the hint. `base_url` is the API's base URL; None: `/v1` of the address called."""
        self._base_url = base_url or "this site's address followed by /v1"

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Refuse a request with 404 and a hint."""
        message = (
            "There is no API at this path. The base URL of your client must end in /v1: set it to "
            f"{self._base_url}. Nothing was counted."
        )
        await ResponseWriter(send).refuse(GatewayError(404, "unknown_url", message))
