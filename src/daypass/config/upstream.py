"""Validation of the upstream's URL and key, with hints for common mistakes."""

import re
from urllib.parse import urlsplit

_ENDPOINT = re.compile(
    r"/(?:chat/completions|completions|responses|embeddings|models|messages|moderations)$"
)
_NEEDS_V1 = frozenset({"api.openai.com"})


def check_upstream_url(value: str) -> str:
    """Return the base URL. Raises ValueError for an endpoint's URL, or one without `/v1`."""
    if not value:
        raise ValueError("is empty: unset it, or set it to the upstream's URL")
    endpoint = _ENDPOINT.search(value)
    if endpoint is not None:
        base = value[: endpoint.start()]
        raise ValueError(f"leave out {endpoint[0]}, which clients append: write {base}")
    parts = urlsplit(value)
    if parts.hostname in _NEEDS_V1 and parts.path in ("", "/"):
        raise ValueError(f"write {value.rstrip('/')}/v1: this API is below /v1")
    return value


def check_upstream_key(key: str) -> str:
    """Return the key. Raises ValueError for characters that are invalid in a header."""
    if not key:
        raise ValueError("is empty: unset it, or set it to the upstream's key")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("contains a space or a special character: paste only the key")
    if key[0] in "\"'" or key[-1] in "\"'":
        raise ValueError("is in quotation marks: paste only the key")
    return key
