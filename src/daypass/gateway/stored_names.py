"""Finds the stored objects that a request names by id for the upstream to read or write."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from daypass.gateway.named_models import SEPARATORS, is_function

ID_MEMBERS = frozenset(
    {"assistant_id", "batch_id", "container_id", "conversation_id", "eval_id", "file_batch_id"}
    | {"file_id", "file_ids", "input_file_id", "message_id", "part_ids", "previous_response_id"}
    | {"prompt_id", "response_id", "run_id", "skill_id", "thread_id", "training_file"}
    | {"upload_id", "validation_file", "vector_store_id", "vector_store_ids", "video_id"}
)
"""Members that hold the id of a stored object, or a list of ids."""
OBJECT_MEMBERS = frozenset({"container", "conversation", "prompt", "video", "voice"})
"""Members whose value may be an object with an `id`."""
OBJECT_OR_ID_MEMBERS = frozenset({"container", "conversation"})
"""Members that may be an object with an `id`, or the id itself."""
FREE_FORM = frozenset({"arguments", "env", "input_schema", "json_schema", "metadata", "schema"})
"""Members that hold the client's own data. Nothing inside them names a stored object."""

REFERENCES = frozenset({"file_id", "item_reference"})
"""Types of objects that refer to a stored object by `id`."""

GENERATED_IMAGE = "image_generation_call"
"""Type of an item that refers to a stored image unless its `result` holds the image."""

_SUSPECT = ID_MEMBERS | OBJECT_MEMBERS | OBJECT_OR_ID_MEMBERS | {"characters", "id"}
_USUAL = frozenset(
    {"content", "description", "function", "input", "max_completion_tokens", "max_tokens"}
    | {"messages", "model", "name", "n", "parameters", "properties", "required", "role", "stop"}
    | {"stream", "stream_options", "temperature", "text", "tool_choice", "tools", "top_p", "type"}
)
"""Members of most requests. One set comparison is faster than case-folding each name."""

_CONTAINERS = (dict, list)
_QUERY_SEPARATORS = re.compile(rb"[&;]")
_ITEM = re.compile(r"(?:input|items)(?:\[|$)", re.IGNORECASE)
"""Paths of items in a Responses API body: a list, or a single item."""


class StoredName(NamedTuple):
    """A parameter of a request that names a stored object."""

    param: str
    id: str


def may_name_stored_objects(document: Mapping[str, Any]) -> bool:
    """Return whether a JSON body may name stored objects. A fast pre-check: most bodies do not."""
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if not value.keys() <= _USUAL and any(name.casefold() in _SUSPECT for name in value):
                return True
            value = value.values()
        waiting += [item for item in value if isinstance(item, _CONTAINERS)]
    return False


def stored_names(document: Mapping[str, Any], path: str = "") -> Iterator[StoredName]:
    """Yield the stored objects that a JSON body names, at any depth. Names match in any case.

    Skips the ids of reasoning items and of audio answers, which clients send back with every turn.
    Only the client that received the answer knows them, and no endpoint reveals their content.
    """
    prefix = f"{path}." if path else ""
    for name, value in document.items():
        folded = name.casefold()
        place = prefix + name
        is_object = folded in OBJECT_MEMBERS and isinstance(value, dict)
        if is_object or folded in ID_MEMBERS or folded in OBJECT_OR_ID_MEMBERS:
            yield from _ids(value, place)
        if folded == "characters" and isinstance(value, list):  # in a video request
            for number, item in enumerate(value):
                if isinstance(item, dict):
                    yield from _ids(_members(item, "id"), f"{place}[{number}].id")
        if not _is_free_form(folded, document, path):
            yield from _nested(value, place)
    if _is_reference(document, path):
        yield from _ids(_members(document, "id"), f"{prefix}id")


def names_stored_object(name: str) -> bool:
    """Return whether a field or parameter, such as `file_ids[]`, names a stored object."""
    parts = {part.strip() for part in SEPARATORS.split(name.casefold())}
    if not parts.isdisjoint(ID_MEMBERS | OBJECT_OR_ID_MEMBERS):
        return True
    return "id" in parts and not parts.isdisjoint(OBJECT_MEMBERS)


def stored_names_in_query(query: bytes) -> Iterator[StoredName]:
    """Yield the stored objects in a query string: some upstreams read body members from it."""
    if not query:
        return
    for pair in _QUERY_SEPARATORS.split(query):
        name, _, value = (unquote_plus(x.decode("latin-1")) for x in pair.partition(b"="))
        if value and names_stored_object(name):
            yield StoredName(name, value)


def _ids(value: Any, place: str) -> Iterator[StoredName]:
    if isinstance(value, str) and value:
        yield StoredName(place, value)
    elif isinstance(value, list):
        for item in value:
            yield from _ids(item, place)
    elif isinstance(value, dict):
        yield from _ids(_members(value, "id"), f"{place}.id")


def _nested(value: Any, place: str) -> Iterator[StoredName]:
    if isinstance(value, dict):
        yield from stored_names(value, place)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _nested(item, f"{place}[{number}]")


def _members(document: Mapping[str, Any], name: str) -> list[Any]:
    """Return the values of all members with this name, in any case."""
    return [value for key, value in document.items() if key.casefold() == name]


def _is_free_form(name: str, document: Mapping[str, Any], path: str) -> bool:
    if name == "parameters":
        return is_function(document)
    if name == "input" and path:  # the input of a tool call in Anthropic's format
        return document.get("type") in ("tool_use", "server_tool_use")
    return name in FREE_FORM


def _is_reference(item: Mapping[str, Any], path: str) -> bool:
    """Return whether this refers to a stored item (Responses) or a stored file (Evals)."""
    types = [value for value in _members(item, "type") if value is not None]
    if any(isinstance(value, str) and value.casefold() in REFERENCES for value in types):
        return True
    if any(isinstance(value, str) and value.casefold() == GENERATED_IMAGE for value in types):
        return not any(_members(item, "result"))
    has_content = any(value is not None for value in _members(item, "content"))
    return _ITEM.match(path) is not None and not types and not has_content
