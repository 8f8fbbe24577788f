"""Asks the upstream for the usage of a stream, and hides it from a client that did not ask.

With `stream_options.include_usage`, an upstream adds `"usage": null` to each chunk and sends one
more chunk with the usage and without choices (OpenAI API reference, "Create chat completion").
Removing both leaves the bytes that the upstream sends without the option.
"""

import re
from typing import Any

import orjson

from daypass.gateway.json_edit import members, remove_member, replace_value, set_members

HELD_BYTES = 1024 * 1024
"""The longest event that is examined, in bytes. A longer one is relayed as it is."""

_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_DATA_LINES = re.compile(
    rb"(?:\A|(?<=[\r\n]))data:[ ]?([^\r\n]*(?:(?:\r\n|\r|\n)data:[ ]?[^\r\n]*)*)"
)
_NEXT_LINE = re.compile(rb"(?:\r\n|\r|\n)data:[ ]?")
_NULL_AT_END = re.compile(rb',\s*"usage"\s*:\s*null\s*\}\s*\Z')


def ask_for_usage(body: bytes, options: Any) -> bytes | None:
    """Return a streamed request's body that asks for usage, or None if it already does.

    `options` are its parsed `stream_options`, or None.
    """
    if options is None:
        return set_members(body, {"stream_options": {"include_usage": True}})
    if not isinstance(options, dict) or options.get("include_usage") is True:
        return None
    span = next(x for x in members(body) if x.name == "stream_options")
    asking = set_members(body[span.start : span.end], {"include_usage": True})
    return replace_value(body, "stream_options", asking)


class UsageRemover:
    """Removes the usage that only Daypass asked for from a stream of events."""

    __slots__ = ("_held", "_is_off", "_searched")

    def __init__(self) -> None:
        self._held = b""
        self._searched = 0
        """The bytes of `_held` in which no event ends."""
        self._is_off = False

    def feed(self, piece: bytes, *, is_last: bool) -> bytes:
        """Return what to relay of the next piece. An incomplete event is held back."""
        if self._is_off:
            return piece
        text = self._held + piece if self._held else piece
        end = 0
        kept = []
        for found in _EVENT_END.finditer(text, self._searched):
            kept.append(_without_usage(text[end : found.start()], found[0]))
            end = found.end()
        self._held = text[end:]
        self._searched = max(0, len(self._held) - 3)
        if is_last:
            # Some clients read an event that the end of the stream ends.
            kept.append(_without_usage(self._held, b""))
        elif len(self._held) > HELD_BYTES:
            self._is_off = True
            kept.append(self._held)
        if is_last or self._is_off:
            self._held, self._searched = b"", 0
        return b"".join(kept)


def _without_usage(event: bytes, end: bytes) -> bytes:
    """Return an event and its end, without usage; nothing if it has nothing else."""
    if b'"usage"' not in event:
        return event + end
    found = _DATA_LINES.search(event)
    if found is None:
        return event + end
    data = found[1]
    # Most chunks: the member comes last.
    at_end = _NULL_AT_END.search(data)
    if at_end:
        data = data[: at_end.start()] + b"}" + data[at_end.end() :]
        return event[: found.start(1)] + data + event[found.end() :] + end
    separator = _NEXT_LINE.search(data)
    if separator is not None:
        # Between lines of data is a line feed (HTML Standard, section 9.2.6).
        data = data.replace(separator[0], b"\n")
    try:
        chunk = orjson.loads(data)
    except ValueError:
        chunk = None
    if isinstance(chunk, dict) and "usage" in chunk:
        if chunk["usage"] is None:
            data = remove_member(data, "usage")
            if separator is not None:
                data = data.replace(b"\n", separator[0])
            return event[: found.start(1)] + data + event[found.end() :] + end
        if chunk.get("choices") == []:
            return b""
    return event + end
