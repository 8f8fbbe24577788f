"""/api/operator/sign-up and invitations: who may sign up."""

from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictInt

from daypass.config.site_settings import SignUpMode
from daypass.domain.times import DAY_S
from daypass.portal.context import InPortal, Operator
from daypass.portal.idempotency import OperatorIdempotency
from daypass.portal.problems import ProblemError
from daypass.portal.times import Instant
from daypass.records import audit, invitations
from daypass.records.tables import Invitation

MAX_DAYS = 90

router = APIRouter()


class InvitationView(BaseModel):
    """An invitation. Its link is shown only when it is created."""

    id: str
    note: str
    created_at: Instant
    expires_at: Instant
    used_by: str | None
    used_at: Instant | None

    @classmethod
    def of(cls, row: Invitation, **more: Any) -> Self:
        """Return the view of a row."""
        return cls(**{name: getattr(row, name) for name in InvitationView.model_fields}, **more)


class CreatedInvitation(InvitationView):
    """A new invitation. `token` is shown only this once."""

    token: str


class NewInvitation(BaseModel):
    """A request for an invitation."""

    note: Annotated[str, Field(max_length=80, description="Whom it is for")] = ""
    days: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS, description="Days until it expires")] = 7


class SignUpPolicy(BaseModel):
    """Who may sign up, and the invitations."""

    sign_up: SignUpMode
    allowed_email_domains: list[str]
    invitations: list[InvitationView]


@router.get("/sign-up")
async def sign_up_policy(_operator: Operator, portal: InPortal) -> SignUpPolicy:
    """Return who may sign up, and recent invitations."""
    async with portal.database.read() as session:
        site = await portal.site_settings(session)
        made = await invitations.recent(session)
    return SignUpPolicy(
        sign_up=site.sign_up,
        allowed_email_domains=list(site.allowed_email_domains),
        invitations=[InvitationView.of(row) for row in made],
    )


@router.post("/invitations", status_code=201)
async def invite(
    new: NewInvitation, operator: Operator, portal: InPortal, repeat: OperatorIdempotency
) -> CreatedInvitation:
    """Create a link with which one person may sign up."""
    now = portal.now()
    note = new.note.strip()
    async with portal.database.write() as session:
        if (await portal.site_settings(session)).sign_up != "invite":
            message = "Sign-up on this site is not by invitation. An operator can set it so."
            raise ProblemError(409, message)
        row, token = await invitations.create(session, note, now, new.days * DAY_S)
        audit.add(session, operator, "invitation created", note or row.id, now=now)
        created = CreatedInvitation.of(row, token=token)
        await repeat.keep(session, created)
    return created


@router.delete("/invitations/{invitation_id}", status_code=204)
async def withdraw(invitation_id: str, operator: Operator, portal: InPortal) -> None:
    """Withdraw an unused invitation."""
    async with portal.database.write() as session:
        row = await invitations.withdraw(session, invitation_id)
        if row is None:
            raise ProblemError(404, "This invitation does not exist, or it has been used.")
        audit.add(session, operator, "invitation withdrawn", row.note or row.id, now=portal.now())
