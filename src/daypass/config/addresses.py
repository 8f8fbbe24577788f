"""Validation of the URLs, origins and host names in the settings."""

import re
from urllib.parse import parse_qsl, urlsplit

from daypass.domain.emails import parse_email

_DRIVER_OPTIONS = frozenset(
    {"autocommit", "context", "cursor_factory", "prepare_threshold", "row_factory"}
)
"""Options of psycopg on top of libpq's. Daypass sets these itself."""
_SEGMENT = re.compile(r"[A-Za-z0-9._~:@-]+")
ENCODED = "special characters in a password must be percent-encoded"


def check_http_url(value: str) -> str:
    """Return a URL without its trailing slash. Raises ValueError if it is not an HTTP(S) URL."""
    check_ascii(value)
    parts = urlsplit(value)
    is_url = parts.scheme in ("http", "https") and parts.hostname and " " not in value
    if not is_url or parts.query or parts.fragment:
        raise ValueError("must be an http(s) URL, such as https://api.openai.com/v1")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user name or password, because this URL is shown")
    _ = parts.port  # Raises ValueError if invalid.
    return value.rstrip("/")


def check_site_url(value: str) -> str:
    """Return the site's URL. Raises ValueError if it has a path."""
    path = urlsplit(value).path
    if path not in ("", "/"):
        raise ValueError(
            f"must have no path: the site is served at /, not below {path}. Give it its own host "
            "name, such as https://keys.example.org"
        )
    return value


def check_database_url(value: str) -> str:
    """Return the URL of a PostgreSQL database or SQLite file. Raises ValueError if invalid."""
    if value.startswith("sqlite:///"):
        if "?" in value or value.endswith("/"):
            raise ValueError("must be sqlite:/// and a file path; write ? as %3F")
        return value
    if not _is_plain(value, r"postgres(ql)?"):
        raise ValueError(f"must begin with postgresql:// or sqlite:///; {ENCODED}")
    check_server(value)
    for name, text in parse_qsl(urlsplit(value).query):
        if name in _DRIVER_OPTIONS:
            raise ValueError(f"{name} is not a PostgreSQL connection option")
        if name == "port" and not all(x.isdecimal() for x in text.split(",")):
            raise ValueError("the port option must be a number")
    return value


def check_redis_url(value: str) -> str:
    """Return the URL of Redis. Raises ValueError if invalid."""
    if not _is_plain(value, r"rediss?(\+\w+)?"):
        kinds = "redis://, rediss://, redis+sentinel:// or redis+cluster://"
        raise ValueError(f"must be {kinds}; {ENCODED}")
    check_ascii(urlsplit(value).netloc.rpartition("@")[2])
    return value


def check_server(value: str) -> None:
    """Raise ValueError if a URL's host or port is invalid."""
    parts = urlsplit(value)
    check_ascii(parts.hostname or "")
    _ = parts.port  # Raises ValueError if invalid.
    if parts.netloc.endswith(":"):
        raise ValueError("the port is missing after the colon")


def check_origin(value: str) -> str:
    """Return an origin or `*`. Raises ValueError if invalid."""
    check_ascii(value)
    parts = urlsplit(value)
    if value != "*" and (parts.scheme not in ("http", "https") or parts.path):
        raise ValueError(f"{value!r} is not an origin, such as https://app.example.org")
    return value


def check_host(value: str) -> str:
    """Return a host name. Raises ValueError if invalid."""
    check_ascii(value)
    if urlsplit(f"//{value}").hostname != value.strip("[]").lower():
        raise ValueError(f"{value!r} is not a host name, such as daypass.example.org")
    return value


def check_email_domain(value: str) -> str:
    """Return the domain of e-mail addresses as accounts have it. Raises ValueError."""
    try:
        return parse_email(f"somebody@{value}").domain
    except ValueError:
        raise ValueError(f"{value!r} is not a domain, such as school.example") from None


def check_path(value: str) -> str:
    """Return a path below `/v1`, without slashes around it. Raises ValueError."""
    path = value.strip("/")
    segments = path.split("/")
    if segments[0].lower() == "v1" and len(segments) > 1:
        raise ValueError(f"{value!r}: leave out v1: write {'/'.join(segments[1:])}")
    if not all(_SEGMENT.fullmatch(x) and x.strip(".") for x in segments) or segments == ["v1"]:
        raise ValueError(
            f"{value!r} is not a path below /v1, such as audio/speech, without patterns: it stands "
            "for what is below it too"
        )
    return path


def check_ascii(value: str) -> str:
    """Return a plain ASCII value.

    Raises ValueError for other characters, such as typographic quotation marks, and for an
    internationalised host name, which has an ASCII form (RFC 5890).
    """
    strange = next((x for x in value if not x.isascii() or not x.isprintable()), None)
    if strange is None:
        return value
    host = urlsplit(value).hostname if "//" in value else value
    try:
        ascii_host = (host or "").encode("idna").decode()
    except UnicodeError:
        ascii_host = ""
    if strange.isalpha() and ascii_host not in ("", host):
        raise ValueError(f"write the host name in its ASCII form, {ascii_host}")
    raise ValueError(f"contains the special character {strange!r}: use plain ASCII")


def _is_plain(address: str, scheme: str) -> bool:
    """Return whether a URL can be parsed in only one way.

    If the special characters of a password are not encoded, part of it could be taken for the
    host, port or path, and so appear in error messages.
    """
    return re.fullmatch(rf"{scheme}://([^@/?#\s]*@)?[^@\s]*", address) is not None
