"""GET /healthz, /readyz and /metrics, for load balancers, supervisors and Prometheus."""

import hmac

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from daypass.portal.context import InPortal, Portal, caller
from daypass.portal.problems import ProblemError
from daypass.quota.ledger import LedgerUnavailableError

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def is_up() -> dict[str, str]:
    """Report that the process is up."""
    return {"status": "ok"}


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def is_ready(request: Request, portal: InPortal) -> dict[str, str]:
    """Report whether to send requests here: the stores are writable, and no shutdown has begun.

    Errors become 503, as everywhere in the portal.
    """
    if getattr(request.state, "is_draining", False):
        raise ProblemError(503, "This server is shutting down.")
    try:
        await portal.readiness.check()
    except LedgerUnavailableError as error:
        log.error("store_unavailable", reason=str(error))
        detail = f"Daypass cannot count calls right now: {error.public_reason}."
        raise ProblemError(503, detail, retry_after_s=2) from error
    return {"status": "ready"}


@router.get("/metrics")
async def metrics(request: Request, portal: InPortal) -> Response:
    """Return the Prometheus metrics, to this machine or with the operator's token."""
    token = portal.settings.metrics_token
    presented = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token is None or not hmac.compare_digest(
        presented.encode(), token.get_secret_value().encode()
    ):
        _check_is_local(request, portal)
    body, content_type = portal.metrics()
    return Response(body, headers={"content-type": content_type})


def _check_is_local(request: Request, portal: Portal) -> None:
    if not caller(request, portal).is_local:
        message = (
            "Metrics are available only from this machine, or with DAYPASS_METRICS_TOKEN sent as "
            "'Authorization: Bearer …'."
        )
        raise ProblemError(403, message)
