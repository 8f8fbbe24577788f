"""Finds the images, audio and files in a request, whose bytes are not text.

Whatever is not certainly media is left out, so that its bytes are counted as text.
"""

import re
from collections.abc import Iterator
from typing import Any

_KINDS = {
    "image_url": "image", "input_image": "image", "image": "image",
    "computer_screenshot": "image",
    "input_audio": "audio", "audio": "audio",
    "file": "file", "input_file": "file", "document": "file",
}  # fmt: skip
_DATA_PATHS = {
    "image": (("image_url",), ("image_url", "url"), ("source", "data")),
    "audio": (("input_audio", "data"), ("source", "data")),
    "file": (("file", "file_data"), ("file_data",), ("source", "data")),
}
_MEDIA_TYPES = {
    "image": ("image/",), "audio": ("audio/",), "file": ("application/pdf", "image/"),
}  # fmt: skip
"""The media types of each kind that are certainly not text. The bytes of any other are counted."""
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]*={0,2}")


def media_in(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the kind and the data of each image, audio or file part in a document."""
    remaining = [document]
    while remaining:
        value = remaining.pop()
        if isinstance(value, list):
            remaining.extend(value)
        elif isinstance(value, dict):
            part = _part(value)
            if part is not None:
                yield part
            # A part may contain others: a document with images.
            remaining.extend(value.values())


def _part(value: dict[str, Any]) -> tuple[str, str] | None:
    """Return the kind of a media part and its encoded data, which is not text; else None."""
    named = value.get("type")
    kind = _KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        # Some upstreams take parts without a type, or of a type of their own.
        kind = next((_KINDS[x] for x in ("image_url", "input_audio") if value.get(x)), None)
    if kind is None:
        return None
    found = ""
    for path in _DATA_PATHS[kind]:
        data: Any = value
        for name in path:
            data = data.get(name) if isinstance(data, dict) else None
        if isinstance(data, str) and _is_encoded(value, kind, data):
            found = max(found, data, key=len)
    return kind, found


def _is_encoded(part: dict[str, Any], kind: str, data: str) -> bool:
    """Return whether data is certainly media, and not text whose bytes would bound its tokens."""
    source = part.get("source")
    if isinstance(source, dict):
        media_type = str(source.get("media_type")).casefold()
        return source.get("type") == "base64" and media_type.startswith(_MEDIA_TYPES[kind])
    if kind == "audio":
        return _BASE64.fullmatch(data) is not None
    start = data[: len("data:application/pdf")].casefold()
    return start.startswith(tuple(f"data:{x}" for x in _MEDIA_TYPES[kind]))
