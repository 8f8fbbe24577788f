"""GET /healthz and /readyz, for load balancers and supervisors."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from daypass.portal.context import InPortal

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def is_up() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@router.get("/readyz")
async def is_ready(portal: InPortal) -> Response:
    """Database and ledger answer. Errors become 503 like anywhere in the portal."""
    await portal.database.ping()
    await portal.ledger.peek([])
    return JSONResponse({"status": "ready"}, headers={"cache-control": "no-store"})
