"""GET /api/operator/audit-log: the actions of operators."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daypass.portal.context import InPortal, Operator
from daypass.portal.operator.paging import PAGE, Offset, Search
from daypass.portal.times import Instant
from daypass.records import audit

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
    _operator: Operator, portal: InPortal, search: Search = "", offset: Offset = 0
) -> list[AuditEntryView]:
    """List entries whose actor, token, action or subject contains `search`, newest first.

    Returns 50 per page.
    """
    async with portal.database.read() as session:
        entries = await audit.recent(session, search.strip(), offset, PAGE)
    return [
        AuditEntryView(**{name: getattr(entry, name) for name in AuditEntryView.model_fields})
        for entry in entries
    ]
