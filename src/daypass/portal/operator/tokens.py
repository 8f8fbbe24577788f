"""/api/operator/tokens: admin tokens, with which programs use the operators' API."""

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, StrictInt

from daypass.domain.times import DAY_S
from daypass.portal.admin_access import require_person
from daypass.portal.api_keys import KeyName
from daypass.portal.context import InPortal, Operator
from daypass.portal.idempotency import OperatorIdempotency
from daypass.portal.problems import ProblemError
from daypass.portal.times import Instant
from daypass.records import admin_tokens, audit, operators
from daypass.records.admin_tokens import Scope, State, TokenRow

MAX_DAYS = 366

router = APIRouter()


def _check_scopes(scopes: list[Scope]) -> list[Scope]:
    if len(set(scopes)) < len(scopes):
        raise ValueError("name each scope once")
    return scopes


class NewToken(BaseModel):
    """A request for an admin token."""

    name: KeyName
    scopes: Annotated[list[Scope], Field(min_length=1), AfterValidator(_check_scopes)]
    days: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS, description="Days until it expires")] = 90


class TokenView(BaseModel):
    """An admin token. The token itself is shown only when it is created."""

    id: str
    name: str
    scopes: list[Scope]
    created_by: str = Field(description="The address of the operator on whose behalf it acts")
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant | None
    revoked_at: Instant | None
    state: State

    @classmethod
    def of(cls, row: TokenRow, now: int, **more: str) -> Self:
        """Return the view of a row. `now` is Unix time in seconds."""
        token = row.token
        names = ("id", "name", "created_at", "expires_at", "last_used_at", "revoked_at")
        fields = {name: getattr(token, name) for name in names} | {
            "scopes": token.scopes.split(),
            "created_by": row.operator.email,
            "state": admin_tokens.state(token, now),
        }
        return cls.model_validate(fields | more)


class CreatedToken(TokenView):
    """A new admin token. `token` is shown only this once."""

    token: str


@router.get("/tokens")
async def list_tokens(_operator: Operator, portal: InPortal) -> list[TokenView]:
    """List the admin tokens, newest first. One stays for 90 days after it has ended."""
    async with portal.database.read() as session:
        rows = await admin_tokens.list_all(session)
    return [TokenView.of(row, portal.now()) for row in rows]


@router.post("/tokens", status_code=201)
async def create_token(
    new: NewToken, operator: Operator, portal: InPortal, repeat: OperatorIdempotency
) -> CreatedToken:
    """Create an admin token. Only a signed-in operator can, and only this response contains it."""
    require_person(operator, "create tokens")
    now = portal.now()
    async with portal.database.write() as session:
        account = await operators.find_active(session, operator.id)
        if account is None:
            raise ProblemError(403, "You are no longer an operator of this site.")
        token, secret = await admin_tokens.create(
            session,
            account.id,
            name=new.name,
            scopes=new.scopes,
            now=now,
            expires_at=now + new.days * DAY_S,
        )
        audit.add(
            session, operator, "token created", f"{token.name} ({token.id})", now=now,
            detail=token.scopes,
        )  # fmt: skip
        created = CreatedToken.of(TokenRow(token, account), now, token=secret)
        await repeat.keep(session, created)
    return created


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(token_id: str, operator: Operator, portal: InPortal) -> None:
    """Revoke an admin token. It is refused from now on."""
    async with portal.database.write() as session:
        token = await admin_tokens.revoke(session, token_id, portal.now())
        if token is None:
            raise ProblemError(404, "This token does not exist, or it is revoked already.")
        subject = f"{token.name} ({token.id})"
        audit.add(session, operator, "token revoked", subject, now=portal.now())
