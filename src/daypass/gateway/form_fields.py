"""Finds the models and stored objects that the fields of a multipart form name."""

from collections.abc import Iterator
from typing import Any

from daypass.gateway.forms import Field
from daypass.gateway.named_models import SEPARATORS, models_in_document, names_model
from daypass.gateway.request import parse_json
from daypass.gateway.stored_names import StoredName, names_stored_object, stored_names

JSON_FIELDS = frozenset({"extra_body", "image", "images", "input_reference", "mask"})
"""Fields that are objects in a JSON body. Some upstreams also parse them as JSON in a form."""


def is_wanted(name: str, is_file: bool) -> bool:
    """Return whether a field may name a model or a stored object."""
    holds_json = not is_file and _may_be_json(name)
    return holds_json or names_model(name) or names_stored_object(name)


def models_in_field(field: Field) -> Iterator[str]:
    """Yield the models that a field names. Raises GatewayError 400 for broken JSON."""
    if names_model(field.name):
        yield field.value
    else:
        yield from models_in_document(_document_in(field))


def stored_names_in_field(field: Field) -> Iterator[StoredName]:
    """Yield the stored objects that a field names. Raises GatewayError 400 for broken JSON."""
    if field.value and names_stored_object(field.name):
        yield StoredName(field.name, field.value)
    yield from stored_names(_document_in(field))


def _may_be_json(name: str) -> bool:
    return SEPARATORS.split(name.casefold())[0].strip() in JSON_FIELDS


def _document_in(field: Field) -> dict[str, Any]:
    """Return a field's JSON under the field's name, or an empty dict if it holds none."""
    if not _may_be_json(field.name) or not field.value.lstrip().startswith(("{", "[")):
        return {}
    return {field.name: parse_json(field.value.strip().encode(), f"The field {field.name!r}")}
