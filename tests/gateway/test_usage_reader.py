"""Token usage in responses of every provider, however they are split."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.domain.usage import NO_TOKENS, TokenUsage
from daypass.gateway.json_scanner import JsonScanner
from daypass.gateway.usage_reader import HELD_BYTES, UsageReader, token_usage

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
FAKE = {"usage": {"prompt_tokens": 999, "completion_tokens": 999}}
LONG = 'a \\ " \n { [ ü' * HELD_BYTES
CALL = {"tool_calls": [{"function": {"name": "f", "arguments": FAKE}}], "usage": 5, "message": FAKE}


def tokens(pieces: Iterable[bytes], *, stream: bool) -> tuple[int, int]:
    reader = UsageReader()
    reader.is_event_stream = stream
    for piece in pieces:
        reader.feed(piece)
    found = reader.tokens() or NO_TOKENS
    return found.input, found.output


def cut(text: bytes, size: int) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def event(document: object, *, end: str = "\n", indent: int | None = None) -> bytes:
    lines = json.dumps(document, indent=indent).splitlines()
    return "".join(f"data: {line}{end}" for line in lines).encode() + end.encode()


DOCUMENTS = {
    "chat": {"choices": [], "usage": USAGE},
    "usage first": {"usage": USAGE, "choices": [{"message": {"content": "x" * 5_000}}]},
    "nested ones": {"choices": [CALL, FAKE], "metadata": FAKE, "usage": USAGE, "output": [FAKE]},
    "far from the end": {"usage": USAGE, "metadata": {"a": LONG, "b": FAKE, "c": [FAKE]}},
    "after much": {"data": [{"embedding": [0.5] * 20_000}] * 3, "usage": USAGE},
    "after text": {"choices": [{"message": {"content": LONG}}, FAKE], "usage": USAGE},
    "response": {"response": {"output": [FAKE, LONG], "usage": USAGE, "metadata": FAKE}},
    "groq": {"choices": [], "x_groq": {"id": "x", "usage": USAGE}},
    "anthropic": {"content": [FAKE], "usage": {"input_tokens": 11, "output_tokens": 7}},
}
NONE = {
    "no usage": {"choices": [CALL, FAKE], "input": {"usage": USAGE}, "text": json.dumps(FAKE)},
    "no object": {"usage": None, "choices": [FAKE]},
    "no numbers": {"usage": {"prompt_tokens": "11", "completion_tokens": True, "n": USAGE}},
    "long": {"choices": [CALL, LONG, FAKE], "tools": {"message": FAKE}},
    "an array": [{"usage": USAGE}, LONG],
}
EACH = [(x, (11, 7)) for x in DOCUMENTS.values()] + [(x, (0, 0)) for x in NONE.values()]


@pytest.mark.parametrize("size", [1 << 14, 100_001, 1 << 30])
@pytest.mark.parametrize(("document", "expected"), EACH, ids=[*DOCUMENTS, *NONE])
def test_only_the_responses_own_usage_counts(
    document: object, expected: tuple[int, int], size: int
) -> None:
    for indent in (None, 2):
        text = json.dumps(document, indent=indent).encode()
        assert tokens(cut(text, size), stream=False) == expected
        for end in ("\n", "\r\n", "\r"):
            # Split over several data lines where it is indented.
            stream = event({"choices": [CALL]}, end=end) + event(document, end=end, indent=indent)
            stream += f"data: [DONE]{end}{end}".encode()
            assert tokens(cut(stream, size), stream=True) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_usage_is_read_from_a_stream_in_small_chunks(size: int) -> None:
    whole = event({"choices": [CALL], "usage": None}) + event(DOCUMENTS["nested ones"])
    assert tokens(cut(whole, size), stream=True) == (11, 7)


def test_anthropic_streams_report_input_first_and_output_last() -> None:
    start = {"message": {"usage": {"input_tokens": 25, "output_tokens": 1}, "content": []}}
    delta = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 15}}
    block = {"type": "content_block_start", "content_block": {"input": FAKE}}
    stream = b"".join(
        b"event: x\n" + event(x) for x in (start, block, delta, {"type": "message_stop"})
    )
    assert tokens([stream], stream=True) == (25, 15)
    assert tokens(cut(stream, 5), stream=True) == (25, 15)


def test_the_start_of_an_anthropic_stream_does_not_report_output() -> None:
    """Otherwise a client that disconnects just before the end would pay for one output token."""
    usage = {"input_tokens": 25, "output_tokens": 1}
    start = event({"type": "message_start", "message": {"usage": usage}})
    text = event({"type": "content_block_delta", "delta": {"usage": FAKE}})
    reader = UsageReader()
    reader.is_event_stream = True
    reader.feed(start + text)
    assert reader.tokens() is None
    delta = event({"type": "message_delta", "usage": {"output_tokens": 15}})
    assert tokens([start, text, delta], stream=True) == (25, 15)


def test_events_after_a_long_event_are_read() -> None:
    stream = event({"output": LONG}) + event(DOCUMENTS["chat"])
    assert tokens(cut(stream, 9_999), stream=True) == (11, 7)
    reader = UsageReader()
    reader.is_event_stream = True
    reader.feed(event({"output": LONG}))
    assert reader.ends_event()


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda x: (
        st.lists(x, max_size=4)
        | st.dictionaries(st.sampled_from(["usage", "response", "message", "x_groq", "a"]), x)
    ),
    max_leaves=20,
)


@given(values, st.integers(1, 40))
def test_the_scanner_reads_long_documents_like_the_parser(document: object, size: int) -> None:
    """The scanner finds the same usage as the parser, for any nesting and split."""
    scanner = JsonScanner()
    text = json.dumps(document).encode()
    for piece in cut(text, size):
        scanner.feed(piece)
    assert scanner.is_between_documents
    top = document if isinstance(document, dict) else {}
    holders = [top, *map(top.get, ("response", "message", "x_groq"))]
    named = [x.get("usage") for x in holders if isinstance(x, dict)]
    expected = [x for x in named if isinstance(x, dict)]
    found = [json.loads(x) for x in scanner.found]
    key = json.dumps
    assert sorted(map(key, found)) == sorted(map(key, expected))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": "11", "completion_tokens": True}, None),
        ({"total_tokens": 5}, None),
        ({"prompt_tokens": 5, "completion_tokens": "7"}, None),
        ({"prompt_tokens": -5, "completion_tokens": 7}, None),
        ({"prompt_tokens": 5, "completion_tokens": 10**9}, None),
        ({"prompt_tokens": 5, "completion_tokens": 7.5}, None),
        ({"input_tokens": 5.0, "output_tokens": 7.0}, TokenUsage(input=5, output=7)),
        (
            {
                "input_tokens": 5,
                "output_tokens": 7,
                "output_tokens_details": {"image_tokens": 6, "reasoning_tokens": -1},
            },
            TokenUsage(input=5, output=7, image_output=6),
        ),
        ({"prompt_tokens": 0, "completion_tokens": 0}, TokenUsage()),
        (
            {
                "prompt_tokens": 11,
                "completion_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 1},
            },
            TokenUsage(
                input=11, cached_input=4, audio_input=2, output=7, reasoning=3, audio_output=1
            ),
        ),
        (
            {"input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20},
            TokenUsage(input=125, cached_input=100, cache_write=20),
        ),
        ({"prompt_tokens": 5, "total_tokens": 30}, TokenUsage(input=5, output=25)),
    ],
    ids=[
        "no numbers",
        "a total only",
        "text",
        "negative",
        "huge",
        "a fraction",
        "whole floats",
        "images",
        "zero",
        "OpenAI",
        "Anthropic",
        "reasoning in the total",
    ],
)
def test_each_kind_of_token_is_read(usage: dict[str, Any], expected: TokenUsage | None) -> None:
    assert token_usage(usage) == expected
