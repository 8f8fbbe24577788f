"""GET /api/operator/upstream: the upstream's health, without its address or key."""

import time

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daypass.portal.context import InPortal, Operator
from daypass.portal.problems import ProblemError
from daypass.portal.times import Instant
from daypass.records import receipts
from daypass.upstreams.refusals import Refusal

HOUR_S = 3_600

router = APIRouter()


class OutcomeCount(BaseModel):
    """How many requests had this outcome. `reason` is empty for requests served normally."""

    outcome: receipts.Outcome
    reason: str
    requests: int


class RefusalView(BaseModel):
    """The upstream's last refusal of this site's key or address, with keys removed."""

    at: Instant
    status: int
    code: str
    message: str


class UpstreamView(BaseModel):
    """Whether the upstream responds now, and the outcomes of the last hour's requests."""

    demo: bool
    checked_at: Instant
    reachable: bool
    problem: str | None
    latency_ms: int
    models: int
    last_hour: list[OutcomeCount]
    last_refusal: RefusalView | None = Field(description="The last one within the past hour")


@router.get("/upstream")
async def upstream_health(_operator: Operator, portal: InPortal) -> UpstreamView:
    """List the upstream's models as a health check, and count the last hour's outcomes."""
    began = time.monotonic()
    models: list[str] = []
    problem = None
    try:
        models = await portal.list_models()
    except ProblemError as error:
        problem = error.problem.detail
    latency_ms = round((time.monotonic() - began) * 1000)
    await portal.write_usage()
    async with portal.database.read() as session:
        outcomes = await receipts.outcomes(session, int(portal.clock() - HOUR_S) * 1000)
    return UpstreamView(
        demo=portal.upstreams.is_demo,
        checked_at=portal.now(),
        reachable=problem is None,
        problem=problem,
        latency_ms=latency_ms,
        models=len(models),
        last_hour=[
            OutcomeCount.model_validate({"outcome": outcome, "reason": reason, "requests": count})
            for outcome, reason, count in outcomes
        ],
        last_refusal=_recent(portal.last_refusal.read(), since=time.time() - HOUR_S),
    )


def _recent(refusal: Refusal | None, *, since: float) -> RefusalView | None:
    if refusal is None or refusal.at < since:
        return None
    return RefusalView.model_validate(refusal._asdict())
