"""Usage that only Daypass asked for is removed from a stream, however it is split."""

import time
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.gateway.stream_usage import HELD_BYTES, UsageRemover, ask_for_usage

TEXT = st.text(st.sampled_from('a"\\,{}[]:\n\r é😀') | st.characters(codec="utf-8"), max_size=12)
NAMES = st.sampled_from(["usage", "choices", "x", '"usage":null', ",", "data:"]) | TEXT
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | TEXT,
    lambda x: st.lists(x, max_size=3) | st.dictionaries(NAMES, x, max_size=3),
    max_leaves=5,
)
CHOICES = st.lists(st.fixed_dictionaries({"index": st.integers(0, 3), "delta": VALUES}), max_size=3)
SPACES = st.sampled_from(["", " ", "  ", "\t"])
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


def dump(value: Any) -> str:
    return orjson.dumps(value).decode()


@st.composite
def chunks(draw: st.DrawFn) -> tuple[str, str]:
    """Return a chunk without usage, and the same chunk with `"usage": null` somewhere."""
    members = draw(st.dictionaries(TEXT.filter(lambda x: x != "usage"), VALUES, max_size=3))
    members |= {"choices": draw(CHOICES)}
    space = [draw(SPACES) for _ in range(3)]
    texts = [f"{dump(name)}:{space[0]}{dump(value)}" for name, value in members.items()]
    at = draw(st.integers(0, len(texts)))
    null = f'"usage"{space[1]}:{space[2]}null'
    return "{" + ",".join(texts) + "}", "{" + ",".join([*texts[:at], null, *texts[at:]]) + "}"


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a stream without usage, and the same stream with it."""
    end = draw(ENDS)
    before = draw(st.sampled_from([b"", b": ping" + end, b"event: chunk" + end, b"id: 7" + end]))
    after = draw(st.sampled_from([b"", end + b"id: 8", end + b": pong"]))
    prefix = draw(st.sampled_from([b"data: ", b"data:"]))
    without, asked = [], []

    def add(one: bytes | None, two: bytes) -> None:
        if one is not None:
            without.append(before + prefix + one + after + end * 2)
        asked.append(before + prefix + two + after + end * 2)

    for plain, with_null in draw(st.lists(chunks(), max_size=4)):
        add(plain.encode(), (with_null if draw(st.booleans()) else plain).encode())
        if draw(st.booleans()):
            without.append(b": keep-alive" + end * 2)
            asked.append(without[-1])
    add(None, b'{"id":"1","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":12}}')
    if draw(st.booleans()):
        add(b"[DONE]", b"[DONE]")
    if draw(st.booleans()):
        tail = prefix + b'{"choices":[{"delta":{"content":"bro'
        without.append(tail)
        asked.append(tail)
    return b"".join(without), b"".join(asked)


def fed(text: bytes, cuts: list[int]) -> bytes:
    remover = UsageRemover()
    places = [0, *sorted(x % (len(text) + 1) for x in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    kept = [remover.feed(piece, is_last=False) for piece in pieces]
    return b"".join([*kept, remover.feed(b"", is_last=True)])


@given(streams(), st.lists(st.integers(0, 10_000), max_size=12))
@settings(max_examples=150, deadline=None)
def test_added_usage_is_removed_from_a_stream_in_every_split(
    texts: tuple[bytes, bytes], cuts: list[int]
) -> None:
    without, asked = texts
    assert fed(asked, cuts) == without
    assert fed(without, cuts) == without


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=100, deadline=None)
def test_other_streams_are_relayed_unchanged(text: bytes, cuts: list[int]) -> None:
    assert fed(text, cuts) == text


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_usage_is_removed_from_multi_line_data(end: bytes) -> None:
    last = b'data: {"choices": [],' + end + b'data: "usage": {"prompt_tokens": 1}}' + end * 2
    null = b'data: {"choices":[1],' + end + b'data: "usage":null,' + end + b'data: "x":1}' + end * 2
    kept = b'data: {"choices":[1],' + end + b'data: "x":1}' + end * 2
    for cut in range(len(null + last)):
        found = fed(null + last, [cut])
        assert b'"usage"' not in found
        lines = found.replace(end, b"\n").removesuffix(b"\n\n").split(b"\n")
        data = b"\n".join(x.removeprefix(b"data: ") for x in lines)
        assert orjson.loads(data) == {"choices": [1], "x": 1}
    assert fed(kept, []) == kept


def test_an_incomplete_last_event_is_relayed() -> None:
    assert fed(b'data: {"choices":[1],"usage":null}', []) == b'data: {"choices":[1]}'
    assert fed(b'data: {"choices":[],"usage":{}}', []) == b""
    broken = b'data: {"choices":[1],"usage":nul'
    assert fed(broken, [7]) == broken


def test_a_huge_event_is_relayed_quickly() -> None:
    text = b'data: {"choices":["' + b"a" * (HELD_BYTES + 5000) + b'"],"usage":null}\n\n'
    began = time.process_time()
    assert fed(text, list(range(0, len(text), 2000))) == text
    assert time.process_time() - began < 2
    short = text.replace(b"a" * 10_000, b"")
    assert fed(short, [5000]) == short.replace(b',"usage":null', b"")


@given(st.dictionaries(TEXT, VALUES, max_size=3), VALUES)
@settings(max_examples=60, deadline=None)
def test_asking_for_usage_changes_nothing_else_in_the_request(
    document: dict[str, Any], options: Any
) -> None:
    document = {"stream": True} | document | {"stream_options": options}
    asking = ask_for_usage(orjson.dumps(document), document.get("stream_options"))
    if options is not None and not isinstance(options, dict):
        assert asking is None
        return
    expected = document | {"stream_options": (options or {}) | {"include_usage": True}}
    assert orjson.loads(asking or b"") == expected
    assert ask_for_usage(asking or b"", expected["stream_options"]) is None
