"""A streaming reader for the small fields of a multipart form (RFC 7578, RFC 2046).

Accepts only input that every parser reads the same way. Parsers disagree on the rest, and the
gateway must not miss a field that an upstream would find.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

HEADER_BYTES = 4096
FIELD_BYTES = 64 * 1024
CRLF = b"\r\n"
LF = b"\n"

_CONTENT_TYPE = re.compile(
    rb"multipart/form-data(?:\s*;\s*charset=[\w-]+)?\s*;\s*boundary=(?:\"([^\"\\\s]{1,200})\"|([^\s\"(),/:;<=>?@\[\\\]]{1,200}))"
    rb"(?:\s*;\s*charset=[\w-]+)?",
    re.IGNORECASE,
)
_DISPOSITION = re.compile(
    rb'form-data\s*;\s*name=(?:"([^"\\]*)"|([^\s";,\\]+))'
    rb'((?:\s*;\s*filename\*?=(?:"(?:[^"\\]|\\.)*"|[^\s";,\\]+))*)\s*;?',
    re.IGNORECASE,
)
_FILENAME = re.compile(rb'filename="?[^\s"]', re.IGNORECASE)
_PLAIN_ENCODINGS = (b"7bit", b"8bit", b"binary")


class FormError(Exception):
    """The form is malformed or ambiguous. The message says why."""


class Field(NamedTuple):
    """A field of a form."""

    name: str
    value: str


def is_form(content_type: bytes) -> bool:
    """Return whether a body of this content type is a multipart form."""
    return content_type.lstrip().lower().startswith(b"multipart/")


class FormReader:
    """Extracts the wanted fields from a form that arrives in pieces of any size."""

    def __init__(self, content_type: bytes, wants: Callable[[str, bool], bool]) -> None:
        """Create a reader. `wants` takes a field's name and whether it is a file.

        Raises FormError for an unsupported content type.
        """
        match = _CONTENT_TYPE.fullmatch(content_type.strip())
        if match is None:
            raise FormError("its content type is not multipart/form-data with one boundary")
        self._delimiter = b"--" + (match[1] or match[2])
        self._line_end = CRLF
        self._wants = wants
        self._buffer = b""
        self._state = self._read_start
        self._name: str | None = None
        self._fields: list[Field] = []
        self._ended = False

    def feed(self, piece: bytes) -> list[Field]:
        """Read the next piece and return the fields that it completes. Raises FormError."""
        self._buffer += piece
        while self._state():
            pass
        fields, self._fields = self._fields, []
        return fields

    def finish(self) -> None:
        """Raise FormError if the closing boundary has not been read."""
        if not self._ended:
            raise FormError("its last boundary is missing")

    # Each state returns False when it needs more bytes.

    def _read_start(self) -> bool:
        if len(self._buffer) < len(self._delimiter) + len(CRLF):
            return False
        self._buffer = self._buffer.removeprefix(CRLF)
        if len(self._buffer) < len(self._delimiter):
            return False
        if not self._buffer.startswith(self._delimiter):
            raise FormError("it does not begin with its boundary")
        self._buffer = self._buffer[len(self._delimiter) :]
        self._state = self._read_first_line_end
        return True

    def _read_first_line_end(self) -> bool:
        if not self._buffer:
            return False
        # The form must use the same line ending throughout, as Go's parser requires too.
        self._line_end = LF if self._buffer.startswith(LF) else CRLF
        self._state = self._read_after_delimiter
        return True

    def _read_after_delimiter(self) -> bool:
        if len(self._buffer) < len(b"--"):
            return False
        if self._buffer.startswith(self._line_end):
            self._buffer = self._buffer[len(self._line_end) :]
            self._state = self._read_headers
        elif self._buffer.startswith(b"--"):
            self._buffer = self._buffer[len(b"--") :]
            self._ended = True
            self._name = None
            self._state = self._read_content
        else:
            raise FormError("its boundary is followed by something else")
        return True

    def _read_headers(self) -> bool:
        end = self._buffer.find(self._line_end * 2)
        if max(end, len(self._buffer) if end < 0 else 0) > HEADER_BYTES:
            raise FormError("the headers of a part are too long")
        if end < 0:
            return False
        name, is_file = _part_of(self._buffer[:end].split(self._line_end))
        self._name = name if self._wants(name, is_file) else None
        # Keep the line break after the headers: an empty part may have no other.
        self._buffer = self._buffer[end + len(self._line_end) :]
        self._state = self._read_content
        return True

    def _read_content(self) -> bool:
        at = self._buffer.find(self._delimiter)
        if at < 0:
            if self._name is None:
                # Keep what may be the start of a boundary and the line break before it.
                self._buffer = self._buffer[-(len(self._delimiter) + len(CRLF)) :]
            elif len(self._buffer) > FIELD_BYTES:
                raise FormError(f"the field {self._name!r} is too long")
            return False
        if self._ended or not self._buffer.endswith(self._line_end, 0, at):
            raise FormError("its boundary stands inside a part")
        if self._name is not None:
            value = self._buffer[len(self._line_end) : at].removesuffix(self._line_end)
            self._fields.append(Field(self._name, _text(value)))
        self._buffer = self._buffer[at + len(self._delimiter) :]
        self._state = self._read_after_delimiter
        return True


def _part_of(headers: list[bytes]) -> tuple[str, bool]:
    """Return a part's field name, and whether every parser treats the part as a file.

    The file name may be in any encoding: Windows clients use the system's.
    """
    disposition = None
    for line in headers:
        name, colon, value = line.partition(b":")
        if not colon or not re.fullmatch(rb"[\w-]+", name) or b"\r" in value or b"\n" in value:
            raise FormError("a header of a part cannot be read")
        match name.lower():
            case b"content-disposition" if disposition is None:
                disposition = _DISPOSITION.fullmatch(value.strip())
                if disposition is None:
                    raise FormError("the content-disposition of a part cannot be read")
            case b"content-disposition":
                raise FormError("a part has two content-dispositions")
            case b"content-transfer-encoding" if value.strip().lower() not in _PLAIN_ENCODINGS:
                raise FormError("a part has a content-transfer-encoding")
    if disposition is None:
        raise FormError("a part has no content-disposition")
    # Some parsers ignore `filename*` or an empty file name, and read such a part as text.
    is_file = _FILENAME.search(disposition[3]) is not None
    return _text(disposition[1] or disposition[2] or b""), is_file


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise FormError("a name or a field is not UTF-8") from None
