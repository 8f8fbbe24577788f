"""Responses that browsers keep and revalidate each time (RFC 9110, section 13.1.2)."""

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response


def revalidated(
    request: Request,
    content: bytes,
    media_type: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the content, or 304 if the browser has the same already."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    sent = {**(headers or {}), "etag": etag, "cache-control": "no-cache"}
    known = request.headers.get("if-none-match", "").split(",")
    if status == 200 and etag in (x.strip().removeprefix("W/") for x in known):
        return Response(status_code=304, headers=sent)
    if request.method == "HEAD":
        sent["content-length"] = str(len(content))
        content = b""
    return Response(content, status, media_type=media_type, headers=sent)
