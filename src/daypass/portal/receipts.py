"""GET /api/requests: the outcomes of recent requests."""

from collections.abc import Sequence
from typing import Literal, Self, cast

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.plans import Amounts
from daypass.domain.times import DAY_S
from daypass.portal.context import InPortal, Portal, SignedIn
from daypass.portal.times import Moment
from daypass.records import receipts
from daypass.records.receipts import Outcome, Receipt

DAY_MS = DAY_S * 1000

router = APIRouter(tags=["usage"])


class RequestAmounts(BaseModel):
    """An amount in each measure. `cost` is in micro-dollars."""

    requests: int
    tokens: int
    cost: int

    @classmethod
    def of(cls, amounts: Sequence[int] | None) -> Self | None:
        """Return the view of a receipt's amounts, if there are any."""
        if amounts is None:
            return None
        return cls(**Amounts(*amounts)._asdict())


class RequestView(BaseModel):
    """The receipt of a request. It contains neither prompt nor response.

    `outcome` says whether the request counted. `reason` says why it was refunded or refused (the
    limit, such as `key_day` or `key_day_tokens`, or the error code), or how a counted response
    ended early. `remaining` is in requests.

    `reserved` is what the request took before it was sent. `settled` is what its answer reported.
    Without a report, the reservation stands unless the request was given back.
    """

    request_id: str
    at: Moment
    api_key_id: str
    api_key_name: str
    model: str
    via: Literal["api", "chat"]
    status: int
    outcome: Outcome
    reason: str
    remaining: int | None
    reserved: RequestAmounts | None
    settled: RequestAmounts | None

    @classmethod
    def of(cls, row: Receipt, api_key_name: str) -> Self:
        """Return the view of a receipt."""
        return cls(
            request_id=row.request_id,
            at=row.at,
            api_key_id=row.api_key_id,
            api_key_name=api_key_name,
            model=row.model,
            via=cast(Literal["api", "chat"], row.via),
            status=row.status,
            outcome=row.outcome,
            reason=row.reason,
            remaining=row.remaining,
            reserved=RequestAmounts.of(row.reserved),
            settled=RequestAmounts.of(row.settled),
        )


@router.get("/requests")
async def list_requests(account: SignedIn, portal: InPortal) -> list[RequestView]:
    """List the account's requests of the last 7 days, newest first, at most 200."""
    await portal.write_usage()
    async with portal.database.read() as session:
        return await recent_requests(session, account.id, portal)


async def recent_requests(
    session: AsyncSession, account_id: str, portal: Portal
) -> list[RequestView]:
    """Return an account's recent requests, newest first."""
    since = int(portal.clock() * 1000) - portal.settings.receipt_days * DAY_MS
    rows = await receipts.recent(session, account_id, since)
    return [RequestView.of(row, name) for row, name in rows]
