"""The order of the rows of a list."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

Sortable = ColumnElement[Any] | InstrumentedAttribute[Any]


def in_order(column: Sortable, unique: Sortable, *, descending: bool) -> list[ColumnElement[Any]]:
    """Return the ORDER BY terms for a column without NULLs.

    Rows with equal values follow the order of `unique`, so that no row is on two pages. It has the
    same direction, so that an index on both columns serves either.
    """
    if descending:
        return [column.desc(), unique.desc()]
    return [column.asc(), unique.asc()]
