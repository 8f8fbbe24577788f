"""Query parameters of long lists: a search text, an offset and an order."""

from typing import Annotated, Literal

from fastapi import Query

PAGE = 50

Search = Annotated[
    str, Query(max_length=200, description="Return only entries that contain this text")
]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="How many entries to skip")]
Order = Annotated[Literal["asc", "desc"], Query(description="The direction of `sort`")]
