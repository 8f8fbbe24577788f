"""How long lists are asked for: a text to search and a page."""

from typing import Annotated

from fastapi import Query

PAGE = 50

Search = Annotated[str, Query(max_length=200, description="Only what contains this text")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="How many to leave out")]
