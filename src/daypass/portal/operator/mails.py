"""/api/operator/mails: mails that could not be sent."""

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daypass.portal.context import InPortal, Operator
from daypass.portal.outbox import Kind
from daypass.portal.problems import ProblemError
from daypass.portal.times import Instant
from daypass.records import audit, outbox
from daypass.records.tables import Mail

SHOWN = 100

NO_SUCH_MAIL = "This mail is no longer in the list: it has been sent, or is being sent now."

router = APIRouter()


class MailView(BaseModel):
    """A mail whose last attempt failed. Its text is never stored."""

    id: str
    kind: Kind
    recipient: str
    created_at: Instant
    attempts: int
    error: str = Field(description="Why the last attempt failed")
    next_try_at: Instant | None = Field(description="null if it will not be tried again")

    @classmethod
    def of(cls, row: Mail) -> Self:
        """Return the view of a row."""
        names = ("id", "kind", "recipient", "created_at", "attempts", "error")
        return cls(**{name: getattr(row, name) for name in names}, next_try_at=row.due_at)


class FailedMails(BaseModel):
    """The newest mails that could not be sent, and their total number."""

    total: int
    mails: list[MailView]


@router.get("/mails")
async def list_failed_mails(_operator: Operator, portal: InPortal) -> FailedMails:
    """List mails that could not be sent, newest first. After the last attempt they stay a week."""
    async with portal.database.read() as session:
        rows, total = await outbox.failed(session, SHOWN)
    return FailedMails(total=total, mails=[MailView.of(row) for row in rows])


@router.post("/mails/{mail_id}/retry", status_code=204)
async def retry_mail(mail_id: str, operator: Operator, portal: InPortal) -> None:
    """Try to send a mail now instead of when it is due."""
    async with portal.database.write() as session:
        row = await outbox.retry(session, mail_id, portal.now())
        if row is None:
            raise ProblemError(404, NO_SUCH_MAIL)
        audit.add(session, operator, "mail retried", row.recipient, now=portal.now())
    if portal.outbox is not None:
        portal.outbox.wake()


@router.delete("/mails/{mail_id}", status_code=204)
async def remove_mail(mail_id: str, operator: Operator, portal: InPortal) -> None:
    """Delete a mail that could not be sent. It is not tried again."""
    async with portal.database.write() as session:
        row = await outbox.remove(session, mail_id)
        if row is None:
            raise ProblemError(404, NO_SUCH_MAIL)
        audit.add(session, operator, "mail removed", row.recipient, now=portal.now())
