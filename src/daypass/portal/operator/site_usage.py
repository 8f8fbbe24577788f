"""GET /api/operator/usage and usage.csv: the usage of all accounts, and the ceilings."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from daypass.domain.times import DAY_S
from daypass.portal.context import InPortal, Operator
from daypass.portal.operator.ceilings import Ceiling, read_ceilings
from daypass.portal.operator.usage_csv import usage_lines
from daypass.portal.times import day_of
from daypass.portal.usage import Allowance, TokensAndCost
from daypass.records import usage

MOST_ACTIVE = 10

router = APIRouter()

Days = Annotated[int, Query(ge=1, le=366, description="How many days, including today")]


class SiteUsageOfDay(TokensAndCost):
    """The usage of one model by all accounts on one UTC day."""

    date: date
    model: str
    requests: int
    refused: int


class AccountUsage(BaseModel):
    """One account's usage over the days shown. `cost` is in micro-dollars."""

    account_id: str
    email: str
    requests: int
    refused: int
    tokens: int
    cost: int


class SiteUsage(BaseModel):
    """Today's requests, every ceiling, usage by day and model, and by the most active accounts.

    `most_active` lists the accounts that cost, or else used, the most. It does not include what is
    reserved.
    """

    today: Allowance
    ceilings: list[Ceiling]
    days: list[SiteUsageOfDay]
    most_active: list[AccountUsage]


@router.get("/usage")
async def site_usage(_operator: Operator, portal: InPortal, days: Days = 30) -> SiteUsage:
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
        ceilings=await read_ceilings(portal),
        days=[
            SiteUsageOfDay(
                date=day_of(row.day),
                model=row.model,
                requests=row.requests,
                refused=row.refused,
                **TokensAndCost.fields_of(row),
            )
            for row in rows
        ],
        most_active=[AccountUsage(**x._asdict()) for x in active],
    )


@router.get(
    "/usage.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def site_usage_csv(
    _operator: Operator, portal: InPortal, days: Days = 30
) -> StreamingResponse:
    """Return the usage by day, account, model and channel as CSV, newest day first.

    Costs are in dollars. A row without an e-mail address is that of a deleted account.
    """
    await portal.write_usage()
    today = portal.now() // DAY_S * DAY_S
    newest_first = [today - age * DAY_S for age in range(days)]
    return StreamingResponse(
        usage_lines(portal.database, newest_first),
        media_type="text/csv",
        headers={"content-disposition": 'attachment; filename="daypass-usage.csv"'},
    )


async def _today(portal: InPortal, used: int) -> Allowance:
    """The ceiling as the ledger counts it; without one, what the usage rows say."""
    claims = (await portal.policy()).site_claims()
    claim = next((x for x in claims if x.limit.is_daily_requests), None)
    if claim is None:
        return Allowance(used=used, limit=None, window=None, remaining=None, resets_at=None)
    (state,) = await portal.ledger.peek([claim])
    return Allowance.of(state)
