"""GET /api/operator/usage: the usage of all accounts, and the site's ceiling."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from daypass.domain.times import DAY_S
from daypass.portal.context import InPortal, Operator
from daypass.portal.times import day_of
from daypass.portal.usage import Allowance
from daypass.records import usage

MOST_ACTIVE = 10

router = APIRouter()


class SiteUsageOfDay(BaseModel):
    """The usage of one model by all accounts on one UTC day."""

    date: date
    model: str
    requests: int
    refused: int
    input_tokens: int
    output_tokens: int


class AccountUsage(BaseModel):
    """One account's usage over the days shown."""

    email: str
    requests: int
    refused: int


class SiteUsage(BaseModel):
    """Today's usage of the site's ceiling, usage by day and model, and the most active accounts."""

    today: Allowance
    days: list[SiteUsageOfDay]
    most_active: list[AccountUsage]


@router.get("/usage")
async def site_usage(
    _operator: Operator,
    portal: InPortal,
    days: Annotated[int, Query(ge=1, le=366, description="How many days, including today")] = 30,
) -> SiteUsage:
    """Return the usage of all accounts by day and model, newest first."""
    today = portal.now() // DAY_S * DAY_S
    since = today - (days - 1) * DAY_S
    await portal.write_usage()
    async with portal.database.read() as session:
        rows = await usage.site_by_day(session, since)
        active = await usage.by_account(session, since, MOST_ACTIVE)
    used = sum(row.requests for row in rows if row.day == today)
    return SiteUsage(
        today=await _today(portal, used),
        days=[
            SiteUsageOfDay(
                date=day_of(row.day),
                model=row.model,
                requests=row.requests,
                refused=row.refused,
                input_tokens=row.input_tokens,
                output_tokens=row.output_tokens,
            )
            for row in rows
        ],
        most_active=[
            AccountUsage(email=email, requests=requests, refused=refused)
            for email, requests, refused in active
        ],
    )


async def _today(portal: InPortal, used: int) -> Allowance:
    """Return the ledger's state of the site's ceiling; without one, the sum of the usage rows."""
    claim = (await portal.policy()).site_claim()
    if claim is None:
        return Allowance(used=used, limit=None, window=None, remaining=None, resets_at=None)
    (state,) = await portal.ledger.peek([claim])
    return Allowance.of(state)
