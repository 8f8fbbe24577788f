"""The stored objects that a JSON body names: what the upstream would read or write by their ids."""

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
"""Members that may be an object with an `id`."""
OBJECT_OR_ID_MEMBERS = frozenset({"container", "conversation"})
"""Those of them that may also be the id itself."""
FREE_FORM = frozenset({"arguments", "env", "input_schema", "json_schema", "metadata", "schema"})
"""Members that hold the caller's own data, in which nothing names a stored object."""

REFERENCES = frozenset({"file_id", "item_reference"})
"""Types of an object that stands for a stored one, which its `id` names."""

GENERATED_IMAGE = "image_generation_call"
"""Type of an item that stands for a stored image unless it holds the image as its `result`."""

_SUSPECT = ID_MEMBERS | OBJECT_MEMBERS | OBJECT_OR_ID_MEMBERS | {"characters", "id"}
_USUAL = frozenset(
    {"content", "description", "function", "input", "max_completion_tokens", "max_tokens"}
    | {"messages", "model", "name", "n", "parameters", "properties", "required", "role", "stop"}
    | {"stream", "stream_options", "temperature", "text", "tool_choice", "tools", "top_p", "type"}
)
"""Members of most requests: a set of them is compared faster than each is read in any case."""

_CONTAINERS = (dict, list)
_QUERY_SEPARATORS = re.compile(rb"[&;]")
_ITEM = re.compile(r"(?:input|items)(?:\[|$)", re.IGNORECASE)
"""Where a body of the Responses API has its items. One item may stand alone."""


class StoredName(NamedTuple):
    """A member of a body that names a stored object."""

    param: str
    id: str


def may_name_stored_objects(document: Mapping[str, Any]) -> bool:
    """Whether a JSON body is worth a closer look: a quick one, for most name no stored object."""
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
    """Yield what a JSON body names, at any depth. Names of members are read in any case.

    Left out are a reasoning item's id and that of an answer's audio, which clients send back with
    every next turn: only who received the answer knows them, and nothing shows what they hold.
    """
    prefix = f"{path}." if path else ""
    for name, value in document.items():
        folded = name.casefold()
        place = prefix + name
        is_object = folded in OBJECT_MEMBERS and isinstance(value, dict)
        if is_object or folded in ID_MEMBERS or folded in OBJECT_OR_ID_MEMBERS:
            yield from _ids(value, place)
        if folded == "characters" and isinstance(value, list):  # of a video
            for number, item in enumerate(value):
                if isinstance(item, dict):
                    yield from _ids(_members(item, "id"), f"{place}[{number}].id")
        if not _is_free_form(folded, document, path):
            yield from _nested(value, place)
    if _is_reference(document, path):
        yield from _ids(_members(document, "id"), f"{prefix}id")


def names_stored_object(name: str) -> bool:
    """Whether a field or parameter of this name, such as `file_ids[]`, names a stored object."""
    parts = {part.strip() for part in SEPARATORS.split(name.casefold())}
    if not parts.isdisjoint(ID_MEMBERS | OBJECT_OR_ID_MEMBERS):
        return True
    return "id" in parts and not parts.isdisjoint(OBJECT_MEMBERS)


def stored_names_in_query(query: bytes) -> Iterator[StoredName]:
    """Yield what a query string names. Some upstreams read the members of a body from there."""
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
    """Return the values of the members of this name, in any case."""
    return [value for key, value in document.items() if key.casefold() == name]


def _is_free_form(name: str, document: Mapping[str, Any], path: str) -> bool:
    if name == "parameters":
        return is_function(document)
    if name == "input" and path:  # of a model's call of a tool, in Anthropic's form
        return document.get("type") in ("tool_use", "server_tool_use")
    return name in FREE_FORM


def _is_reference(item: Mapping[str, Any], path: str) -> bool:
    """Whether this stands for a stored item (Responses) or a stored file (Evals)."""
    types = [value for value in _members(item, "type") if value is not None]
    if any(isinstance(value, str) and value.casefold() in REFERENCES for value in types):
        return True
    if any(isinstance(value, str) and value.casefold() == GENERATED_IMAGE for value in types):
        return not any(_members(item, "result"))
    has_content = any(value is not None for value in _members(item, "content"))
    return _ITEM.match(path) is not None and not types and not has_content
