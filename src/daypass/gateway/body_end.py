"""Detects when an upstream may already be able to process an incomplete body."""

import re

from daypass.http.types import Headers

_FORM = re.compile(
    rb"""multipart/form-data; *boundary=("?)([A-Za-z0-9'()+_,./:=?-]{1,70})\1""", re.IGNORECASE
)


class BodyEnd:
    """Watches a streamed body for a point that an upstream may take as its end.

    A multipart form ends with its closing delimiter (RFC 2046, section 5.1.1). For any other body,
    every piece may be enough: many servers start work once they have read one JSON value, without
    waiting for the full length or the last chunk.
    """

    __slots__ = ("_delimiter", "_tail", "may_have_come")

    def __init__(self, headers: Headers) -> None:
        """Create a watcher for a request with these headers."""
        self._delimiter = _closing_delimiter(headers)
        self._tail = b""
        self.may_have_come = False
        """Whether the pieces so far may be enough for an upstream."""

    def feed(self, piece: bytes) -> None:
        """Process the next piece, which must not be empty."""
        if self.may_have_come or self._delimiter is None:
            self.may_have_come = True
            return
        seen = self._tail + piece
        self.may_have_come = self._delimiter in seen
        self._tail = seen[-len(self._delimiter) :]


def _closing_delimiter(headers: Headers) -> bytes | None:
    """Return the form's closing delimiter; None unless all upstreams read the same boundary."""
    declared = [value for name, value in headers if name == b"content-type"]
    form = _FORM.fullmatch(declared[0]) if len(declared) == 1 else None
    return b"--" + form[2] + b"--" if form else None
