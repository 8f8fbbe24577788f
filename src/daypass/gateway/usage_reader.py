"""Reads the token counts that an answer reports while the answer is relayed.

Only `usage` at the top level counts, or in `response` (Responses API), `message` (Anthropic's
`message_start`) or `x_groq`: tool arguments and outputs may contain objects with the same name.
"""

import math
import re
from typing import Any

import orjson

from daypass.domain.usage import TokenUsage
from daypass.gateway.json_scanner import HOLDERS, JsonScanner

HELD_BYTES = 64 * 1024
"""The longest document or event that is buffered and parsed, in bytes; longer ones are scanned."""
MOST_TOKENS = 10**9
_COUNT_NAMES = ("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens")
MOST_SECONDS = 10**6

_USAGE = re.compile(rb'"usage"\s*:(?!\s*null)')
EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")
_EVENT_END = re.compile(b"|".join(EVENT_ENDS))
_BETWEEN_LINES = re.compile(rb"[\r\n]+data:")


class UsageReader:
    """Reads the token counts of one answer, streamed or not."""

    __slots__ = ("_found", "_held", "_is_partial", "_scanner", "audio_seconds", "is_event_stream")

    def __init__(self) -> None:
        self.is_event_stream = False
        """Set this before the first piece."""
        self._held = bytearray()
        """An incomplete event, or the document so far."""
        self._scanner: JsonScanner | None = None
        self._found: TokenUsage | None = None
        self._is_partial = False
        """Whether only the start of Anthropic's stream has reported, with almost no output yet."""
        self.audio_seconds: int | None = None
        """The duration that a transcription reports, in seconds rounded up."""

    def feed(self, piece: bytes) -> None:
        """Process the next piece of the answer."""
        if self._scanner is not None:
            self._scan(self._scanner, piece)
            return
        # Almost all pieces are whole events.
        if self.is_event_stream and not self._held and piece.endswith(EVENT_ENDS):
            if _USAGE.search(piece):
                self._read_events(piece)
            return
        self._held += piece
        if self.is_event_stream:
            self._read_whole_events()
        if len(self._held) > HELD_BYTES:
            self._scanner = JsonScanner()
            self._scan(self._scanner, bytes(self._held))
            self._held.clear()

    def tokens(self) -> TokenUsage | None:
        """Return the tokens of the answer, or None if it does not report all of them."""
        if _USAGE.search(self._held):
            read = self._read_events if self.is_event_stream else self._read_document
            read(bytes(self._held))
        return None if self._is_partial else self._found

    def ends_event(self) -> bool:
        """Return whether the bytes so far end at the end of a server-sent event."""
        return not self._held and self._scanner is None

    def _scan(self, scanner: JsonScanner, piece: bytes) -> None:
        scanner.feed(piece)
        for usage in scanner.found:
            self._add(_parsed(_BETWEEN_LINES.sub(b"", usage)))
        scanner.found.clear()
        if self.is_event_stream and scanner.is_between_documents and piece.endswith(EVENT_ENDS):
            self._scanner = None

    def _read_whole_events(self) -> None:
        end = max(self._held.rfind(x) + len(x) if x in self._held else 0 for x in EVENT_ENDS)
        if _USAGE.search(self._held, 0, end):
            self._read_events(bytes(self._held[:end]))
        del self._held[:end]

    def _read_events(self, events: bytes) -> None:
        for event in _EVENT_END.split(events):
            if _USAGE.search(event):
                # A document may be split over several data lines (HTML, section 9.2.6).
                lines = [x[5:] for x in event.splitlines() if x.startswith(b"data:")]
                self._read_document(b"\n".join(lines))

    def _read_document(self, document: bytes) -> None:
        found = _parsed(document)
        if not isinstance(found, dict):
            return
        choices = found.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict) and "delta" in choice:
            self._add(choice.get("usage"))  # Kimi reports the usage of a stream there.
        is_partial = found.get("type") == "message_start"
        for holder in (found, *(found.get(name) for name in HOLDERS)):
            if isinstance(holder, dict):
                self._add(holder.get("usage"), is_partial=is_partial)

    def _add(self, usage: Any, *, is_partial: bool = False) -> None:
        """Keep the larger counts: later reports in a stream include earlier ones."""
        if not isinstance(usage, dict):
            return
        seconds = usage.get("seconds")
        if usage.get("type") == "duration" and isinstance(seconds, int | float) and seconds >= 0:
            self.audio_seconds = math.ceil(min(seconds, MOST_SECONDS))
            self._found = self._found or TokenUsage()
            return
        found = token_usage(usage)
        if found is not None:
            before = self._found
            self._is_partial = is_partial
            self._found = found if before is None else TokenUsage(*map(max, before, found))


def token_usage(usage: dict[str, Any]) -> TokenUsage | None:
    """Return the counts of a `usage` object, in OpenAI's or Anthropic's form.

    None without any, and if one of them is no count (negative, a fraction, text): then the bound
    is nearer to the truth than the rest of the report.
    """
    if any(_is_wrong(usage.get(x)) for x in _COUNT_NAMES):
        return None
    sent = _count(usage, "prompt_tokens") or _count(usage, "input_tokens")
    answered = _count(usage, "completion_tokens") or _count(usage, "output_tokens")
    if not sent and not answered and all(usage.get(x) is None for x in _COUNT_NAMES):
        return None
    cached = cache_write = audio_input = image_input = 0
    reasoning = audio_output = image_output = 0
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    if isinstance(details, dict):
        cached = _count(details, "cached_tokens")
        audio_input = _count(details, "audio_tokens")
        image_input = _count(details, "image_tokens")
    elif "prompt_cache_hit_tokens" in usage:  # DeepSeek
        cached = _count(usage, "prompt_cache_hit_tokens")
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    if isinstance(details, dict):
        reasoning = _count(details, "reasoning_tokens")
        audio_output = _count(details, "audio_tokens")
        image_output = _count(details, "image_tokens")
    if "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage:
        # Anthropic's input_tokens leave out what was read from or written to the cache.
        cached = _count(usage, "cache_read_input_tokens")
        cache_write = _count(usage, "cache_creation_input_tokens")
        sent += cached + cache_write
    # Some upstreams count reasoning in the total only.
    answered = max(answered, _count(usage, "total_tokens") - sent)
    return TokenUsage(
        input=sent,
        cached_input=cached,
        cache_write=cache_write,
        audio_input=audio_input,
        image_input=image_input,
        output=answered,
        reasoning=reasoning,
        audio_output=audio_output,
        image_output=image_output,
    )


def _count(usage: dict[str, Any], name: str) -> int:
    """Return a count; 0 if there is none. Some upstreams write whole numbers as `12.0`."""
    count = usage.get(name)
    return 0 if count is None or _is_wrong(count) else int(count)


def _is_wrong(count: Any) -> bool:
    """Return whether a value is present and no possible count of tokens."""
    if type(count) is float:
        return not (count.is_integer() and 0 <= count < MOST_TOKENS)
    return count is not None and not (type(count) is int and 0 <= count < MOST_TOKENS)


def _parsed(document: bytes) -> Any:
    try:
        return orjson.loads(document)
    except ValueError:
        return None
