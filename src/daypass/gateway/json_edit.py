"""Edits single members of a JSON object and leaves every other byte as it was sent.

The text must be a valid object (RFC 8259): callers parse it first.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

_SPACE = re.compile(rb"[ \t\n\r]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR = re.compile(rb"[^,}\]\s]+")
_NESTED = re.compile(rb'[{}\[\]]|"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OPENING = (b"{", b"[")
_CLOSING = (b"}", b"]")


class Member(NamedTuple):
    """A member of an object, and where its name and its value are in the text."""

    name: str
    name_start: int
    start: int
    end: int


def members(text: bytes) -> Iterator[Member]:
    """Return the members of the outermost object, in the order in which they appear."""
    position = _after_space(text, 0) + 1
    while True:
        position = _after_space(text, position)
        if text[position : position + 1] in (b"}", b""):
            return
        name = _STRING.match(text, position)
        if name is None:
            return
        start = _after_space(text, _after_space(text, name.end()) + 1)
        end = _value_end(text, start)
        yield Member(orjson.loads(name[0]), position, start, end)
        position = _after_space(text, end)
        if text[position : position + 1] != b",":
            return
        position += 1


def set_members(text: bytes, values: Mapping[str, object]) -> bytes:
    """Return the object with members set: replaced where they are, else added at the end."""
    missing = dict(values)
    pieces, position = [], 0
    for member in members(text):
        if member.name in values:
            pieces += [text[position : member.start], orjson.dumps(values[member.name])]
            position = member.end
            missing.pop(member.name, None)
    rest = text[position:]
    if missing:
        end = rest.rindex(b"}")
        added = orjson.dumps(missing)[1:-1]
        is_empty = not pieces and next(members(text), None) is None
        rest = rest[:end] + (added if is_empty else b"," + added) + rest[end:]
    return b"".join((*pieces, rest))


def replace_value(text: bytes, name: str, value: bytes) -> bytes:
    """Return the object with the JSON text of one member's value replaced."""
    for member in members(text):
        if member.name == name:
            return text[: member.start] + value + text[member.end :]
    return text


def remove_member(text: bytes, name: str) -> bytes:
    """Return the object without a member and the comma that separated it."""
    previous_end: int | None = None
    for member in members(text):
        if member.name != name:
            previous_end = member.end
            continue
        if previous_end is not None:
            return text[:previous_end] + text[member.end :]
        comma = _after_space(text, member.end)
        end = comma + 1 if text[comma : comma + 1] == b"," else member.end
        return text[: member.name_start] + text[end:]
    return text


def _after_space(text: bytes, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _value_end(text: bytes, start: int) -> int:
    if text[start : start + 1] not in _OPENING:
        found = (_STRING if text[start : start + 1] == b'"' else _SCALAR).match(text, start)
        return found.end() if found else len(text)
    depth = 0
    for token in _NESTED.finditer(text, start):
        if token[0] in _OPENING:
            depth += 1
        elif token[0] in _CLOSING:
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)
