"""Extracts from an upstream's answer the ids of objects that the client now owns. No I/O.

Reads only fields that the upstream itself fills in. Fields that echo the client's input, such as
metadata or a schema, must not give the client ownership of anything.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

_IN_OBJECT = (
    "conversation.id",
    "container.id",
    "thread_id",
    "file.id",
    "output_file_id",
    "error_file_id",
    "result_files.*",
    "fine_tuned_model",
    "fine_tuned_model_checkpoint",
    "tool_resources.code_interpreter.file_ids.*",
    "tool_resources.file_search.vector_store_ids.*",
    "content.*.image_file.file_id",
    "content.*.text.annotations.*.file_path.file_id",
    "content.*.content.content.*.file_id",
    "step_details.tool_calls.*.code_interpreter.outputs.*.image.file_id",
)
_IN_OUTPUT_ITEM = (
    "id",
    "container_id",
    "content.*.annotations.*.file_id",
    "content.*.annotations.*.container_id",
)
_IN_EVENT = (
    "annotation.file_id",
    "annotation.container_id",
    "message.container.id",
    "delta.container.id",
)


class LearnedIds(NamedTuple):
    """The id of the object in an answer, and the ids of objects that belong to it."""

    own: str | None
    others: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """All ids, including the object's own."""
        return self.others | {self.own} if self.own else self.others


def ids_in_answer(document: Any) -> LearnedIds:
    """Return the ids in a JSON answer: an object, or a list that belongs to an owned object.

    The ids of list items are skipped: items need no owner besides their parent's, and the client
    can choose some of their ids.
    """
    if not isinstance(document, dict):
        return LearnedIds(None, frozenset())
    found = set(_in_object(document))
    data = document.get("data")
    for item in data if isinstance(data, list) else ():
        found.update(_in_object(item))
    own = document.get("id")
    return LearnedIds(own if isinstance(own, str) else None, frozenset(found))


def ids_in_event(event: Any) -> LearnedIds:
    """Return the ids in an event of the Responses, Assistants or Chat Completions API."""
    if not isinstance(event, dict):
        return LearnedIds(None, frozenset())
    inner = event.get("response")
    own, others = ids_in_answer(inner if isinstance(inner, dict) else event)
    found = set(others)
    for path in _IN_EVENT:
        found.update(_at(event, path.split(".")))
    for path in _IN_OUTPUT_ITEM:
        found.update(_at(event.get("item"), path.split(".")))
    return LearnedIds(own, frozenset(found))


def _in_object(document: Any) -> Iterator[str]:
    for path in _IN_OBJECT:
        yield from _at(document, path.split("."))
    for path in _IN_OUTPUT_ITEM:
        yield from _at(document, ["output", "*", *path.split(".")])


def _at(value: Any, path: list[str]) -> Iterator[str]:
    """Yield the strings at a path. `*` matches every item of a list."""
    if not path:
        if isinstance(value, str) and value:
            yield value
        return
    name, *rest = path
    if name == "*":
        for item in value if isinstance(value, list) else ():
            yield from _at(item, rest)
    elif isinstance(value, dict):
        yield from _at(value.get(name), rest)
