"""GET /api/operator/audit-log: the actions of operators."""

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daypass.portal.context import InPortal, Operator
from daypass.portal.operator.paging import PAGE, Offset, Order, Search
from daypass.portal.times import Instant
from daypass.records import audit
from daypass.records.audit import AuditSort
from daypass.records.tables import AuditEntry

router = APIRouter()


class AuditEntryView(BaseModel):
    """An action of an operator. `account_id` is that of the person it is about, if any."""

    id: int
    at: Instant
    actor_email: str
    token: str | None = Field(description="The admin token that was used; null: a session")
    action: str
    subject: str
    detail: str
    account_id: str | None

    @classmethod
    def of(cls, entry: AuditEntry, account_id: str | None) -> Self:
        """Return the view of a row."""
        names = cls.model_fields.keys() - {"account_id"}
        return cls(**{name: getattr(entry, name) for name in names}, account_id=account_id)


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
        people = await audit.account_ids(session, entries)
    return [AuditEntryView.of(entry, people.get(entry.id)) for entry in entries]
