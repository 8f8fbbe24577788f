"""What an upstream says when it refuses the operator's key or address, made safe to keep.

The words are for the operator: in the log, and on the operator's page by way of a file that all
worker processes of a machine share. They hold no key, and only what an upstream's error has as its
code and message: the rest of an answer may quote the prompt.
"""

import re
import time
from pathlib import Path
from typing import NamedTuple

import orjson
import structlog

from daypass.observability.safe_errors import error_location

MESSAGE_LENGTH = 300
"""Characters of an upstream's message that are kept."""
CODE_LENGTH = 64
REDACTED = "[redacted]"

# Keys as providers write them, also half hidden; what follows "key:"; long random words; e-mail
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
    """A refusal of the operator by the upstream."""

    at: int
    """Unix time in seconds."""
    status: int
    code: str
    message: str


class LastRefusal:
    """The upstream's latest refusal, shared by the processes of one data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, status: int, body: bytes) -> None:
        """Log a refusal and keep it for the operator's page. A disk that fails is logged."""
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
    """Return the code of an error in OpenAI's shape; empty where there is none."""
    code = _error_of(body).get("code")
    return code if isinstance(code, str) else ""


def explanation(body: bytes) -> tuple[str, str]:
    """Return code and message of an upstream's error, redacted and bounded, on one line each."""
    error = _error_of(body)
    code = error.get("code") or error.get("type")
    message = error.get("message")
    return _safe(code, CODE_LENGTH), _safe(message, MESSAGE_LENGTH)


def _error_of(body: bytes) -> dict[str, object]:
    """The `error` member of OpenAI's shape, or what some servers use in its place."""
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
    """Return a text on one line without keys and e-mail addresses, cut to so many characters."""
    # Redact first: a key that is cut in two would not be recognised.
    line = _KEY_LIKE.sub(REDACTED, _NOT_PRINTABLE.sub(" ", words).strip())
    return line if len(line) <= length else line[: length - 1] + "…"
