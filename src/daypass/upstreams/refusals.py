"""Redacted errors of an upstream that rejects the operator's key or address.

They are shown to the operator in the log, and on the operator's page through a file shared by all
worker processes of a machine. They contain no key, and only the error's code and message: the
rest of a response may quote the prompt.
"""

import re
import time
from pathlib import Path
from typing import NamedTuple

import orjson
import structlog

from daypass.observability.safe_errors import error_location

MESSAGE_LENGTH = 300
"""Maximum number of characters of an upstream's message."""
CODE_LENGTH = 64
REDACTED = "[redacted]"

# Keys in providers' formats, also partly masked; text after "key:"; long random words; e-mail
# addresses.
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|dp|dpa|gsk|xai|hf|r8|nvapi|key|proj|org)[-_][\w*.-]{6,}"
    r"|\bAIza[\w-]{10,}"
    r"|(?<=bearer )\S+"
    r"|(?<=key: )\S+|(?<=provided: )\S+|(?<=token: )\S+"
    r"|[A-Za-z0-9+/*]*\*{3,}[A-Za-z0-9+/*]*"
    r"|[A-Za-z0-9+/]{24,}"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]+",
    re.IGNORECASE,
)
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")

log = structlog.get_logger()


class Refusal(NamedTuple):
    """An upstream's rejection of the operator's key or address."""

    at: int
    """Unix time in seconds."""
    status: int
    code: str
    message: str


class LastRefusal:
    """The upstream's latest refusal, shared by all processes that use a data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, status: int, body: bytes) -> None:
        """Log a refusal and store it for the operator's page. Disk errors are only logged."""
        refusal = Refusal(int(time.time()), status, *explanation(body))
        log.error(
            "upstream_misconfigured",
            status=status,
            upstream_code=refusal.code,
            upstream_message=refusal.message,
        )
        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(orjson.dumps(refusal._asdict()))
            new.replace(self._path)
        except OSError as error:
            log.warning("refusal_not_kept", reason=error_location(error))

    def read(self) -> Refusal | None:
        """Return the latest refusal, or None."""
        try:
            return Refusal(**orjson.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


def error_code(body: bytes) -> str:
    """Return the code of an error in OpenAI's format, or an empty string."""
    code = _error_of(body).get("code")
    return code if isinstance(code, str) else ""


def explanation(body: bytes) -> tuple[str, str]:
    """Return an upstream error's code and message, redacted and truncated, one line each."""
    error = _error_of(body)
    code = error.get("code") or error.get("type")
    message = error.get("message")
    return _safe(code, CODE_LENGTH), _safe(message, MESSAGE_LENGTH)


def _error_of(body: bytes) -> dict[str, object]:
    """Return the `error` member of OpenAI's format, or what other servers send instead."""
    try:
        document = orjson.loads(body)
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    error = document.get("error", document)
    if isinstance(error, str):
        return {"message": error}
    if not isinstance(error, dict):
        return {}
    return error if "message" in error else error | {"message": error.get("detail")}


def _safe(words: object, length: int) -> str:
    return redact(words, length) if isinstance(words, str) else ""


def redact(words: str, length: int) -> str:
    """Return a text as one line without keys and e-mail addresses, cut to `length` characters."""
    # Redact before cutting: a truncated key would not be recognised.
    line = _KEY_LIKE.sub(REDACTED, _NOT_PRINTABLE.sub(" ", words).strip())
    return line if len(line) <= length else line[: length - 1] + "…"
