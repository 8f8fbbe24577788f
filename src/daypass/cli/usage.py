"""`daypass usage`: the usage of the whole site."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from daypass.cli.output import AsJson, iso, print_rows
from daypass.config.settings import load_settings
from daypass.domain.times import DAY_S
from daypass.records.database import Database
from daypass.records.schema import with_database
from daypass.records.tables import UsageSiteDay
from daypass.records.usage import AccountUse, by_account, site_by_day


class By(StrEnum):
    """What a row of the usage stands for."""

    DAY = "day"
    ACCOUNT = "account"


def usage(
    days: Annotated[
        int, typer.Option(min=1, max=366, help="How many days, including today (UTC).")
    ] = 30,
    by: Annotated[
        By, typer.Option(help="A row for each day and model, or for each account.")
    ] = By.DAY,
    as_json: AsJson = False,
) -> None:
    """Show the usage of the whole site. Costs are in dollars, with --json in micro-dollars."""
    from daypass.app.startup import make_clock  # noqa: PLC0415  (slow to import)

    settings = load_settings()
    today = int(make_clock(settings)()) // DAY_S * DAY_S
    since = today - (days - 1) * DAY_S

    async def query(database: Database) -> list[dict[str, Any]]:
        async with database.read() as session:
            if by is By.ACCOUNT:
                return _account_rows(await by_account(session, since, limit=None))
            return _day_rows(await site_by_day(session, since))

    rows = with_database(settings.database_address, query)
    if not as_json:
        rows = [row | {"cost": f"${Decimal(row['cost']) / 1_000_000:.6f}"} for row in rows]
    print_rows(rows, as_json)


def _day_rows(found: Sequence[UsageSiteDay]) -> list[dict[str, Any]]:
    return [
        {
            "date": str(iso(row.day)).partition("T")[0],
            "model": row.model,
            "requests": row.requests,
            "refused": row.refused,
            "tokens": row.input_tokens + row.output_tokens,
            "cost": row.cost,
        }
        for row in found
    ]


def _account_rows(found: Sequence[AccountUse]) -> list[dict[str, Any]]:
    return [row._asdict() for row in found]
