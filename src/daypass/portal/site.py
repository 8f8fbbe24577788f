"""Public settings of this installation, for the site's pages."""

import contextlib
import json
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from daypass.config.look import Announcement
from daypass.config.site_settings import SignUpMode
from daypass.portal import first_operator
from daypass.portal.context import InPortal
from daypass.portal.look import LookSource
from daypass.records import operators
from daypass.records.database import DatabaseUnavailableError

router = APIRouter(tags=["site"])


class AnnouncementView(BaseModel):
    """A text for every page, and when it ends."""

    text: str
    until: datetime | None


class TermsView(BaseModel):
    """The terms that people accept, as plain text."""

    text: str
    version: str


class SiteView(BaseModel):
    """The public settings of this installation."""

    demo: bool
    paused: bool = Field(description="Whether an operator has paused the site")
    sign_up: SignUpMode
    enforcer: Literal["embedded", "aws"]
    gateway_base_url: str | None
    max_keys_per_account: int
    account_requests_per_day: int | None
    has_operator: bool
    first_sign_up_operates: bool = Field(
        description="Whether signing up now from this browser creates the operator's account"
    )
    mail: bool
    sign_in_with: str | None
    site_name: str | None
    welcome_text: str | None = Field(description="Plain text, with blank lines between paragraphs")
    announcement: AnnouncementView | None = Field(description="Only while it is to be shown")
    terms: TermsView | None


@router.get("/docs", include_in_schema=False)
async def show_docs() -> Response:
    """Redirect to the page that describes this API."""
    return RedirectResponse("/docs/")


@router.get("/site.js", include_in_schema=False)
async def mark_page(portal: InPortal) -> Response:
    """Return a script that, before the first paint, marks a page with settings its texts need."""
    settings = portal.settings
    is_paused = False
    with contextlib.suppress(DatabaseUnavailableError):
        async with portal.database.read() as session:
            is_paused = (await portal.site_settings(session)).paused
    marks: dict[str, str] = {"enforcer": settings.enforcer}
    if portal.upstreams.is_demo:
        marks["demo"] = ""
    if portal.outbox is not None:
        marks["mail"] = ""
    if is_paused:
        marks["paused"] = ""
    look = await LookSource(portal.database, settings).read()
    if look.site_name:
        marks["siteName"] = look.site_name
    if look.logo:
        marks["logo"] = ""
    if look.description:
        marks["welcome"] = ""
    script = f"Object.assign(document.documentElement.dataset, {json.dumps(marks)});\n"
    return Response(script, media_type="text/javascript")


@router.get("/site")
async def describe_site(request: Request, portal: InPortal) -> SiteView:
    """Return the settings that the site's pages need. Needs no session."""
    settings = portal.settings
    async with portal.database.read() as session:
        has_operator = await operators.has_active(session)
        first_sign_up_operates = await first_operator.would_be_first(session, request, portal)
        site = await portal.site_settings(session)
    return SiteView(
        demo=portal.upstreams.is_demo,
        paused=site.paused,
        sign_up=site.sign_up,
        enforcer=settings.enforcer,
        gateway_base_url=portal.gateway_base_url,
        max_keys_per_account=site.max_keys_per_account,
        account_requests_per_day=(await portal.policy()).account_daily_ceiling,
        has_operator=has_operator,
        first_sign_up_operates=first_sign_up_operates,
        mail=portal.outbox is not None,
        sign_in_with=settings.sign_in_with,
        site_name=site.site_name,
        welcome_text=site.welcome_text,
        announcement=_shown(site.announcement, portal.clock()),
        terms=TermsView(**site.terms.model_dump()) if site.terms else None,
    )


def _shown(announcement: Announcement | None, now: float) -> AnnouncementView | None:
    if announcement is None or not announcement.is_shown(now):
        return None
    return AnnouncementView(text=announcement.text, until=announcement.until)
