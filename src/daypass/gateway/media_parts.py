"""Finds the images, audio and files in a request, whose bytes are not text.

Whatever is not certainly media is left out, so that its bytes are counted as text.
"""

import re
from collections.abc import Iterator
from typing import Any

_KINDS = {
    "image_url": "image", "input_image": "image", "image": "image", "image_file": "image",
    "computer_screenshot": "image",
    "input_audio": "audio", "audio": "audio", "audio_url": "audio",
    "file": "file", "input_file": "file", "document": "file",
    "file_url": "file", "document_url": "file",
    "video": "video", "input_video": "video", "video_url": "video",
    "item_reference": "reference",
}  # fmt: skip
_NAMED_BY_MEMBER = (
    "image_url", "input_audio", "audio_url", "video_url", "file_url", "document_url",
)  # fmt: skip
"""Members that make an object a media part, whatever its type."""
_DATA_PATHS = {
    "image": (("image_url",), ("image_url", "url"), ("source", "data")),
    "audio": (("input_audio", "data"), ("source", "data")),
    "file": (("file", "file_data"), ("file_data",), ("source", "data")),
    "video": (),
    "reference": (),
}
_MEDIA_TYPES = {
    "image": ("image/",), "audio": ("audio/",), "file": ("application/pdf", "image/"),
}  # fmt: skip
"""The media types of each kind that are certainly not text. The bytes of any other are counted."""
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]*={0,2}")


def media_in(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the kind and the data of each image, audio, file or video part in a document.

    The kind `reference` is an item that the request only names. Data is empty if it is text, or
    stored or published elsewhere.
    """
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
    if not all(map(str.islower, value)):
        # Some upstreams match names without regard to case.
        value = {name.casefold(): x for name, x in value.items()}
    named = value.get("type")
    kind = _KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        # Some upstreams take parts without a type, or of a type of their own.
        kind = next((_KINDS[x] for x in _NAMED_BY_MEMBER if value.get(x)), None)
    if kind is None:
        # The audio of an earlier answer.
        earlier = value.get("audio")
        return ("audio", "") if isinstance(earlier, dict) and earlier.get("id") else None
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
