"""Finds the `usage` object in streamed JSON that is too long to buffer."""

import re

NAME_BYTES = 16
CAPTURED_BYTES = 16 * 1024
"""Capturing a `usage` object stops after this many bytes."""
KEPT_LEVELS = 3

HOLDERS = ("response", "message", "x_groq")
USAGE_PATHS = frozenset({(b"usage",), *((name.encode(), b"usage") for name in HOLDERS)})

_QUOTE, _BACKSLASH, _COMMA, _BRACE = b'"\\,{'
_OPENING = b"{["
# Commas matter only at levels where member names are read. Long arrays of numbers have many.
_SHALLOW = re.compile(rb'["{}\[\],]')
_DEEP = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class JsonScanner:
    """A scanner that tracks only nesting and strings, and so skips `data:` between lines."""

    __slots__ = (
        "_captured", "_captured_at", "_depth", "_in_string", "_is_escaped", "_name", "_path",
        "_text", "found",
    )  # fmt: skip

    def __init__(self) -> None:
        self.found: list[bytes] = []
        """The usage objects found so far."""
        self._depth = 0
        self._path: list[bytes] = [b""] * KEPT_LEVELS
        """The member name of each of the outermost open objects; empty if it has none."""
        self._name = b""
        """The last string, if it may be the name of an object that follows."""
        self._in_string = self._is_escaped = False
        self._text = b""
        self._captured: bytearray | None = None
        self._captured_at = 0

    @property
    def is_between_documents(self) -> bool:
        """Whether the scanner is outside any document."""
        return self._depth == 0

    def feed(self, piece: bytes) -> None:
        """Scan the next piece."""
        position = start = 0
        if self._in_string:
            position = self._read_string(piece, 1 if self._is_escaped and piece else 0)
        while token := (_SHALLOW if self._depth < KEPT_LEVELS else _DEEP).search(piece, position):
            position = token.end()
            char = piece[position - 1]
            if char == _QUOTE:
                self._text = b""
                position = self._read_string(piece, position)
            elif char == _COMMA:
                self._name = b""
            elif char in _OPENING:
                if self._open(is_object=char == _BRACE):
                    start = position - 1
            else:
                if self._captured is not None and self._depth == self._captured_at:
                    self._capture(piece[start:position])
                    self.found.append(bytes(self._captured))
                    self._captured = None
                self._depth = max(0, self._depth - 1)
                self._name = b""
        if self._captured is not None:
            self._capture(piece[start:])

    def _open(self, *, is_object: bool) -> bool:
        """Enter an object or array, and return whether it is a usage object."""
        if self._depth < KEPT_LEVELS:
            self._path[self._depth] = self._name if is_object else b""
        self._name = b""
        self._depth += 1
        path = tuple(self._path[1 : self._depth]) if self._depth <= KEPT_LEVELS else ()
        if self._captured is not None or path not in USAGE_PATHS:
            return False
        self._captured, self._captured_at = bytearray(), self._depth
        return True

    def _read_string(self, piece: bytes, position: int) -> int:
        """Continue a string, and return the position after it or the end of the piece."""
        found = _IN_STRING.match(piece, position)
        end = found.end() if found else position
        if len(self._text) < NAME_BYTES:
            self._text += piece[position : min(end, position + NAME_BYTES)]
        self._is_escaped = end < len(piece) and piece[end] == _BACKSLASH
        self._in_string = end == len(piece) or self._is_escaped
        if self._in_string:
            return len(piece)
        self._name = self._text
        return end + 1

    def _capture(self, piece: bytes) -> None:
        if self._captured is not None and len(self._captured) < CAPTURED_BYTES:
            self._captured += piece
