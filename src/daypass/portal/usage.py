"""/api/usage: today's usage, and usage by day, key and model."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal, Self, cast

from fastapi import APIRouter, Query
from pydantic import BaseModel

from daypass.domain.plans import Window
from daypass.domain.prices import prices_in
from daypass.domain.times import DAY_S
from daypass.portal.context import InPortal, SignedIn
from daypass.portal.meters import LimitUse, Meter, read_meters, reset_of
from daypass.portal.times import Instant, day_of
from daypass.quota.ledger import BucketState, Claim
from daypass.records import api_keys, usage
from daypass.records.tables import UsageDay, UsageSiteDay

router = APIRouter(tags=["usage"])


class Allowance(BaseModel):
    """The usage of one limit in its window. `limit` is null if there is no limit."""

    used: int
    limit: int | None
    window: Window | None
    remaining: int | None
    resets_at: Instant | None

    @classmethod
    def of(cls, state: BucketState) -> Self:
        """Return the allowance of a bucket."""
        return cls(
            used=state.used,
            limit=state.claim.limit.amount,
            window=state.claim.limit.window,
            remaining=state.remaining,
            resets_at=reset_of(state),
        )


class AllowanceToday(Allowance):
    """An allowance of requests, every limit in each measure, and today's tokens and cost.

    `tokens` and `cost` (micro-dollars) include what is reserved.
    """

    limits: list[LimitUse]
    tokens: int
    cost: int


class KeyAllowance(AllowanceToday):
    """The usage of one API key: limits as in `/api/api-keys`, and today's requests by channel."""

    api_key_id: str
    name: str
    by_api: int
    by_chat: int


class UsageToday(BaseModel):
    """Today's usage of the account and each of its keys."""

    account: AllowanceToday
    keys: list[KeyAllowance]


class ReservedAmounts(BaseModel):
    """What is reserved and not settled. `cost` is in micro-dollars.

    A request reserves an upper bound until its answer reports what it used. An answer without
    such a report leaves the reservation as it is.
    """

    tokens: int
    cost: int


class PriceUsed(BaseModel):
    """The last price that was used on a day, in US dollars.

    `input`, `cached_input` and `output` are per million tokens. The others are null unless the
    price has them.
    """

    input: float
    cached_input: float
    output: float
    per_request: float | None = None
    per_image: float | None = None
    per_minute: float | None = None
    per_million_characters: float | None = None


class TokensAndCost(BaseModel):
    """What answers reported. `cost` is in micro-dollars, at the prices of the time.

    Cached tokens are part of the input, reasoning tokens of the output, audio tokens of both.
    `price` is null if no answer was priced.
    """

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    audio_tokens: int
    cost: int
    price: PriceUsed | None
    reserved: ReservedAmounts

    @staticmethod
    def fields_of(row: UsageDay | UsageSiteDay) -> dict[str, Any]:
        """Return these fields' values in a usage row."""
        names = TokensAndCost.model_fields.keys() - {"reserved", "price"}
        return {name: getattr(row, name) for name in names} | {
            "reserved": ReservedAmounts(tokens=row.reserved_tokens, cost=row.reserved_cost),
            "price": prices_in(row.price) if row.price else None,
        }


class UsageOfDay(TokensAndCost):
    """One key's usage of one model on one UTC day, through the API or the site's chat."""

    date: date
    api_key_id: str
    api_key_name: str
    model: str
    via: Literal["api", "chat"]
    requests: int
    refused: int


@router.get("/usage")
async def usage_by_day(
    account: SignedIn,
    portal: InPortal,
    days: Annotated[int, Query(ge=1, le=366, description="How many days, including today")] = 30,
) -> list[UsageOfDay]:
    """Return the usage by day, key and model, newest first."""
    today = portal.now() // DAY_S * DAY_S
    await portal.write_usage()
    async with portal.database.read() as session:
        rows = await usage.by_day(session, account.id, today - (days - 1) * DAY_S)
    return [
        UsageOfDay(
            date=day_of(row.day),
            api_key_id=row.api_key_id,
            api_key_name=name,
            model=row.model,
            via=cast(Literal["api", "chat"], row.via),
            requests=row.requests,
            refused=row.refused,
            **TokensAndCost.fields_of(row),
        )
        for row, name in rows
    ]


@router.get("/usage/today")
async def usage_today(account: SignedIn, portal: InPortal) -> UsageToday:
    """Return today's usage. Limits are as counted by the ledger, and include deleted keys."""
    today = portal.now() // DAY_S * DAY_S
    await portal.write_usage()
    async with portal.database.read() as session:
        keys = await api_keys.list_of(session, account.id)
        rows = [row for row, _ in await usage.by_day(session, account.id, today)]
    meters = await read_meters(portal, keys)
    of_keys = [
        _of_key(meter, [x for x in rows if x.api_key_id == meter.key.id]) for meter in meters
    ]
    plan_ids = {x.usage_plan_id for x in keys}
    claims = (await portal.policy()).account_claims(account.id, plan_ids)
    # The keys also share what their plans allow in tokens and cost.
    shared = {x.claim for meter in meters for x in meter.buckets} - set(claims)
    claims += sorted((x for x in shared if x.subject.kind == "account"), key=lambda x: x.name)
    return UsageToday(account=await _of_account(portal, claims, rows, of_keys), keys=of_keys)


def _of_key(meter: Meter, rows: Sequence[UsageDay]) -> KeyAllowance:
    """Return a key's usage. Usage inherited from a deleted key counts as API usage."""
    by_api, by_chat = (sum(x.requests for x in rows if x.via == via) for via in ("api", "chat"))
    if meter.day is not None:
        by_chat = min(by_chat, meter.day.used)
        by_api = meter.day.used - by_chat
    return KeyAllowance(
        **meter.figures(),
        **_tokens_and_cost(rows),
        api_key_id=meter.key.id,
        name=meter.key.name,
        by_api=by_api,
        by_chat=by_chat,
    )


async def _of_account(
    portal: InPortal,
    claims: Sequence[Claim],
    rows: Sequence[UsageDay],
    keys: Sequence[KeyAllowance],
) -> AllowanceToday:
    buckets = await portal.ledger.peek(claims)
    daily = next((x for x in buckets if x.claim.limit.is_daily_requests), None)
    if daily is not None:
        requests = Allowance.of(daily)
    else:
        used = sum(key.by_api + key.by_chat for key in keys)
        requests = Allowance(used=used, limit=None, window=None, remaining=None, resets_at=None)
    return AllowanceToday(
        **dict(requests),
        **_tokens_and_cost(rows),
        limits=[LimitUse.of(x) for x in buckets],
    )


def _tokens_and_cost(rows: Sequence[UsageDay]) -> dict[str, Any]:
    return {
        "tokens": sum(x.input_tokens + x.output_tokens + x.reserved_tokens for x in rows),
        "cost": sum(x.cost + x.reserved_cost for x in rows),
    }
