"""The usage of all accounts as CSV (RFC 4180)."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

from daypass.portal.times import day_of
from daypass.records import usage
from daypass.records.database import Database
from daypass.records.tables import UsageDay

COLUMNS = (
    "date", "email", "api_key_id", "model", "via", "requests", "refused", "input_tokens",
    "cached_tokens", "output_tokens", "reasoning_tokens", "audio_tokens", "reserved_tokens",
    "cost_usd", "reserved_cost_usd", "price",
)  # fmt: skip

_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  (full-width)
"""Characters that make a spreadsheet run a cell (OWASP, "CSV Injection")."""


async def usage_lines(database: Database, days: Sequence[int]) -> AsyncIterator[str]:
    """Yield the header, then the rows of each day (Unix time of its first second).

    Each day is a transaction of its own, so that a slow download holds no connection.
    """
    yield _lines([COLUMNS])
    for day in days:
        async with database.read() as session:
            rows = await usage.of_day(session, day)
        if rows:
            yield _lines([_cells(row, email) for row, email in rows])


def _cells(row: UsageDay, email: str | None) -> list[object]:
    return [
        day_of(row.day),
        _text(email or ""),
        row.api_key_id,
        _text(row.model),
        row.via,
        row.requests,
        row.refused,
        row.input_tokens,
        row.cached_tokens,
        row.output_tokens,
        row.reasoning_tokens,
        row.audio_tokens,
        row.reserved_tokens,
        _dollars(row.cost),
        _dollars(row.reserved_cost),
        row.price or "",
    ]


def _text(value: str) -> str:
    """Return a value that no spreadsheet takes for a formula. Callers choose model names."""
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA_STARTS) else value


def _dollars(micro: int) -> str:
    return f"{Decimal(micro) / 1_000_000:.6f}"


def _lines(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
