"""The site's terms: new accounts accept them, and every account accepts a new version."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.portal.context import InPortal, Portal, SignedInBeforeTerms
from daypass.portal.problems import ProblemError
from daypass.records import accounts
from daypass.records.tables import Account

router = APIRouter(prefix="/account", tags=["account"])

AcceptedTerms = Annotated[
    str | None,
    Field(
        max_length=40,
        description="The version of the site's terms that the person accepts, if it has terms",
    ),
]


class NotAcceptedError(ProblemError):
    """The current version of the terms was not accepted."""

    def __init__(self, version: str) -> None:
        super().__init__(
            422,
            f"Accept the terms of this site, version {version}, to have an account.",
            field="accepted_terms",
        )


class Acceptance(BaseModel):
    """The version of the terms that the person has read."""

    accepted_terms: str = Field(max_length=40)


@router.post("/terms", status_code=204)
async def accept_terms(
    acceptance: Acceptance, account: SignedInBeforeTerms, portal: InPortal
) -> None:
    """Accept the site's terms. Returns 422 if this is not their current version."""
    async with portal.database.write() as session:
        await check(session, acceptance.accepted_terms, portal)
        await record(session, account, acceptance.accepted_terms, portal)


async def check(session: AsyncSession, version: str | None, portal: Portal) -> None:
    """Raise NotAcceptedError unless the site has no terms, or this version of them."""
    terms = (await portal.site_settings(session)).terms
    if terms is not None and version != terms.version:
        raise NotAcceptedError(terms.version)


async def record(
    session: AsyncSession, account: Account, version: str | None, portal: Portal
) -> None:
    """Record that an account accepts the terms, after `check`, if the site has any."""
    if version is not None and (await portal.site_settings(session)).terms is not None:
        await accounts.accept_terms(session, account.id, version, portal.now())
        account.accepted_terms = version
