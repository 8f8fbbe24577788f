"""Editing one member of a JSON object leaves every other byte unchanged."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.gateway.json_edit import members, remove_member, replace_value, set_members

TEXT = st.text(st.sampled_from('a"\\,{}[]:\n é😀') | st.characters(codec="utf-8"), max_size=8)
NAMES = st.sampled_from(["max_tokens", "n", "", "a,b", '"', "\\", "}"]) | TEXT
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False,
    allow_infinity=False) | TEXT,
    lambda x: st.lists(x, max_size=3) | st.dictionaries(NAMES, x, max_size=3),
    max_leaves=6,
)  # fmt: skip
SPACE = st.text(" \t\r\n", max_size=2)


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> str:
    """Return a JSON text of a value, with arbitrary white space and escapes."""
    if isinstance(value, dict):
        pairs = [draw(spelled(k)) + draw(SPACE) + ":" + draw(spelled(v)) for k, v in value.items()]
        return "{" + draw(SPACE) + (draw(SPACE) + "," + draw(SPACE)).join(pairs) + "}"
    if isinstance(value, list):
        return "[" + draw(SPACE) + ",".join(draw(spelled(x)) for x in value) + draw(SPACE) + "]"
    text = orjson.dumps(value).decode()
    if isinstance(value, str) and value and draw(st.booleans()):
        units = value.encode("utf-16-be")
        text = '"' + "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2)) + '"'
    return draw(SPACE) + text


OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)


@st.composite
def documents(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    document = draw(OBJECTS)
    return document, (draw(SPACE) + draw(spelled(document)) + draw(SPACE)).encode()


@given(documents())
@settings(max_examples=150, deadline=None)
def test_members_of_an_object_are_located(case: tuple[dict[str, Any], bytes]) -> None:
    document, text = case
    found = {x.name: orjson.loads(text[x.start : x.end]) for x in members(text)}
    assert found == document
    assert list(found) == list(document)


@given(documents(), OBJECTS)
@settings(max_examples=150, deadline=None)
def test_setting_members_changes_no_other_byte(
    case: tuple[dict[str, Any], bytes], values: dict[str, Any]
) -> None:
    document, text = case
    edited = set_members(text, values)
    assert orjson.loads(edited) == document | values
    kept = [text[x.name_start : x.end] for x in members(text) if x.name not in values]
    assert [
        edited[x.name_start : x.end]
        for x in members(edited)
        if x.name in document and x.name not in values
    ] == kept
    same = {x.name: orjson.Fragment(text[x.start : x.end]) for x in members(text)}
    assert set_members(text, same) == text


@given(documents(), st.data())
@settings(max_examples=150, deadline=None)
def test_removing_a_member_changes_no_other_byte(
    case: tuple[dict[str, Any], bytes], data: st.DataObject
) -> None:
    document, text = case
    name = data.draw(st.sampled_from([*document, "missing name"]))
    edited = remove_member(text, name)
    assert orjson.loads(edited) == {k: v for k, v in document.items() if k != name}
    kept = [text[x.name_start : x.end] for x in members(text) if x.name != name]
    assert [edited[x.name_start : x.end] for x in members(edited)] == kept
    replaced = replace_value(text, name, b"[1]")
    assert orjson.loads(replaced) == {k: [1] if k == name else v for k, v in document.items()}


def test_escaped_and_plain_member_names_are_equal() -> None:
    text = rb'{"x":{"max_tokens":1},"max\u005ftokens" : 9, "y":"\"max_tokens\":7"}'
    assert set_members(text, {"max_tokens": 5}) == text.replace(b"9", b"5")
