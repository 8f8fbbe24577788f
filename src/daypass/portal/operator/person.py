"""/api/operator/people/{id}: one person's account, and help with signing in."""

from typing import Self

from fastapi import APIRouter, Request
from pydantic import BaseModel

from daypass.domain.times import DAY_S
from daypass.portal.api_keys import ApiKeyView
from daypass.portal.context import InPortal, Operator, site_address
from daypass.portal.idempotency import OperatorIdempotency
from daypass.portal.meters import LimitUse, read_account_limits, read_meters
from daypass.portal.operator.audit_log import AuditEntryView
from daypass.portal.operator.people import find_person
from daypass.portal.password_resets import LINK_LIFETIME_S, link_to_hand_over
from daypass.portal.problems import ProblemError
from daypass.portal.receipts import RequestView, recent_requests
from daypass.portal.sessions import AccountView, core_of
from daypass.portal.times import Instant
from daypass.records import accounts, api_keys, audit, operators, usage
from daypass.records.accounts import OpenSessions
from daypass.records.tables import UsageDay

ENTRIES = 50
"""Audit log entries shown."""

OTHER_OPERATOR = (
    'Operators cannot reset each other\'s passwords. This person can use "Forgot your password?", '
    "if this site sends mail, or somebody can run this on the server: "
    "daypass accounts reset-password {email}"
)
DISABLED = "This account is disabled. Enable it first."

router = APIRouter(prefix="/people")


class SignedInBrowsers(BaseModel):
    """How many browsers are signed in, and when the last one signed in."""

    browsers: int
    last_opened_at: Instant | None

    @classmethod
    def of(cls, sessions: OpenSessions) -> Self:
        """Return the view of an account's sessions."""
        return cls(**sessions._asdict())


class PersonUsage(BaseModel):
    """What answers reported today, through keys that were deleted too. `cost` is in micro-dollars.

    `tokens` and `cost` do not include what is reserved; limits do.
    """

    requests: int
    refused: int
    tokens: int
    cost: int

    @classmethod
    def of(cls, rows: list[UsageDay]) -> Self:
        """Return the sums of usage rows."""
        return cls(
            requests=sum(x.requests for x in rows),
            refused=sum(x.refused for x in rows),
            tokens=sum(x.input_tokens + x.output_tokens for x in rows),
            cost=sum(x.cost for x in rows),
        )


class PersonDetail(AccountView):
    """An account with all that belongs to it.

    `limits` are those that all keys share; each key has its own too. `requests` are the receipts
    of recent requests, and `audit_log` has what operators did to the account and its keys.
    """

    disabled_at: Instant | None
    sessions: SignedInBrowsers
    usage_today: PersonUsage
    limits: list[LimitUse]
    keys: list[ApiKeyView]
    requests: list[RequestView]
    audit_log: list[AuditEntryView]


class ResetLink(BaseModel):
    """A link with which one person chooses a new password, once. It is shown only this once."""

    url: str
    expires_at: Instant


@router.get("/{account_id}")
async def show_person(account_id: str, _operator: Operator, portal: InPortal) -> PersonDetail:
    """Return an account with its keys, limits, usage today, recent requests and audit entries."""
    await portal.write_usage()
    now = portal.now()
    today = now // DAY_S * DAY_S
    async with portal.database.read() as session:
        account = await find_person(session, account_id)
        keys = await api_keys.list_of(session, account_id)
        sessions = await accounts.open_sessions(session, account_id, now)
        used = await usage.by_day(session, account_id, today)
        requests = await recent_requests(session, account_id, portal)
        entries = await audit.about(session, account, ENTRIES)
    policy, meters = await portal.policy(), await read_meters(portal, keys)
    return PersonDetail(
        **core_of(account),
        disabled_at=account.disabled_at,
        sessions=SignedInBrowsers.of(sessions),
        usage_today=PersonUsage.of([row for row, _ in used]),
        limits=await read_account_limits(portal, account_id, meters),
        keys=[ApiKeyView.of(meter, policy, now) for meter in meters],
        requests=requests,
        audit_log=[AuditEntryView.of(entry, account_id) for entry in entries],
    )


@router.post("/{account_id}/password-reset", status_code=201)
async def create_reset_link(
    account_id: str,
    request: Request,
    operator: Operator,
    portal: InPortal,
    repeat: OperatorIdempotency,
) -> ResetLink:
    """Create a link to hand over, with which the person chooses a new password.

    It works once, within a day, and not after the password has changed otherwise. The person is
    notified if the site sends mail. Raises 409 for another operator and for a disabled account.
    """
    async with portal.database.write() as session:
        account = await find_person(session, account_id)
        if operators.is_other_operator(account, operator.id):
            raise ProblemError(409, OTHER_OPERATOR.format(email=account.email))
        if account.disabled_at is not None:
            raise ProblemError(409, DISABLED)
        action = "password reset link created"
        audit.add(session, operator, action, account.email, now=portal.now())
        if portal.outbox is not None:
            await portal.outbox.add(session, "reset-link", account.email, account.id)
        site = site_address(request, portal)
        url = link_to_hand_over(site, portal.signer, account, operator.id)
        link = ResetLink(url=url, expires_at=portal.now() + LINK_LIFETIME_S)
        await repeat.keep(session, link)
    return link


@router.post("/{account_id}/sign-out", status_code=204)
async def sign_out_person(account_id: str, operator: Operator, portal: InPortal) -> None:
    """Sign a person out on every device. API keys keep working."""
    async with portal.database.write() as session:
        account = await find_person(session, account_id)
        await accounts.close_sessions(session, account.id)
        audit.add(session, operator, "account signed out", account.email, now=portal.now())
