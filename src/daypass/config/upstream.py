"""What is wrong with the upstream's address or key as people paste them."""

import re
from urllib.parse import urlsplit

_ENDPOINT = re.compile(
    r"/(?:chat/completions|completions|responses|embeddings|models|messages|moderations)$"
)
_NEEDS_V1 = frozenset({"api.openai.com"})


def check_upstream_url(value: str) -> str:
    """Return the address. Raises ValueError for one of an endpoint, or without its `/v1`."""
    if not value:
        raise ValueError("it is empty: unset it, or put the upstream's address there")
    endpoint = _ENDPOINT.search(value)
    if endpoint is not None:
        base = value[: endpoint.start()]
        raise ValueError(f"leave out {endpoint[0]}, which clients append: write {base}")
    parts = urlsplit(value)
    if parts.hostname in _NEEDS_V1 and parts.path in ("", "/"):
        raise ValueError(f"write {value.rstrip('/')}/v1: this API is below /v1")
    return value


def check_upstream_key(key: str) -> str:
    """Return the key. Raises ValueError for characters that no header can carry."""
    if not key:
        raise ValueError("it is empty: unset it, or put the upstream's key there")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("it holds a space or a special character: paste the key alone")
    if key[0] in "\"'" or key[-1] in "\"'":
        raise ValueError("it is in quotation marks: paste the key alone")
    return key
