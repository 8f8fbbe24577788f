"""From which point on an upstream may be able to work with a body that is still coming in."""

import re

from daypass.http.types import Headers

_FORM = re.compile(
    rb"""multipart/form-data; *boundary=("?)([A-Za-z0-9'()+_,./:=?-]{1,70})\1""", re.IGNORECASE
)


class BodyEnd:
    """Watches the pieces of a body for what an upstream may take for its end.

    A multipart form is whole with its closing delimiter (RFC 2046, section 5.1.1). Of any other
    body every piece may be enough: many servers begin as soon as they have read one JSON value,
    whatever length or last chunk was still to come.
    """

    __slots__ = ("_delimiter", "_tail", "may_have_come")

    def __init__(self, headers: Headers) -> None:
        """`headers` are those of the request."""
        self._delimiter = _closing_delimiter(headers)
        self._tail = b""
        self.may_have_come = False
        """Whether the pieces so far may be all that an upstream needs."""

    def feed(self, piece: bytes) -> None:
        """Look at the next piece, which is not empty."""
        if self.may_have_come or self._delimiter is None:
            self.may_have_come = True
            return
        seen = self._tail + piece
        self.may_have_come = self._delimiter in seen
        self._tail = seen[-len(self._delimiter) :]


def _closing_delimiter(headers: Headers) -> bytes | None:
    """None unless this is a form of which every upstream reads the same boundary."""
    declared = [value for name, value in headers if name == b"content-type"]
    form = _FORM.fullmatch(declared[0]) if len(declared) == 1 else None
    return b"--" + form[2] + b"--" if form else None
