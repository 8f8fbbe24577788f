"""GET /api/operator/audit-log: the actions of operators."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daypass.portal.context import InPortal, Operator
from daypass.portal.operator.paging import PAGE, Offset, Order, Search
from daypass.portal.times import Instant
from daypass.records import audit
from daypass.records.audit import AuditSort

router = APIRouter()


class AuditEntryView(BaseModel):
    """An action of an operator."""

    id: int
    at: Instant
    actor_email: str
    token: str | None = Field(description="The admin token that was used; null: a session")
    action: str
    subject: str
    detail: str


@router.get("/audit-log")
async def list_entries(
    _operator: Operator,
    portal: InPortal,
    search: Search = "",
    offset: Offset = 0,
    sort: AuditSort = "at",
    order: Order = "desc",
) -> list[AuditEntryView]:
    """List entries whose actor, token, action or subject contains `search`, 50 per page."""
    async with portal.database.read() as session:
        entries = await audit.search(
            session, search.strip(), offset, PAGE, sort=sort, descending=order == "desc"
        )
    return [
        AuditEntryView(**{name: getattr(entry, name) for name in AuditEntryView.model_fields})
        for entry in entries
    ]
