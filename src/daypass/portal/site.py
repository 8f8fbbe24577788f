"""The site: its exported pages, and what they need to know of this installation."""

from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from daypass.portal.context import InPortal
from daypass.records import accounts

PAGES = Path(__file__).parents[1] / "_site"

NOT_BUILT = "The site has not been built. In a checkout, 'make run' builds it.\n"

router = APIRouter(tags=["site"])


class SiteView(BaseModel):
    """What anybody may know of this installation."""

    demo: bool
    sign_up: Literal["open", "closed"]
    enforcer: Literal["embedded", "aws"]
    gateway_base_url: str | None
    max_keys_per_account: int
    account_requests_per_day: int | None
    has_operator: bool


@router.get("/docs", include_in_schema=False)
async def show_docs() -> Response:
    """This API is described on a page of the site."""
    return RedirectResponse("/docs/")


@router.get("/site")
async def describe_site(portal: InPortal) -> SiteView:
    """This installation's settings, as far as its pages need them. Needs no session."""
    settings = portal.settings
    async with portal.database.read() as session:
        has_operator = await accounts.has_any(session)
    return SiteView(
        demo=settings.uses_demo_model,
        sign_up=settings.sign_up,
        enforcer=settings.enforcer,
        gateway_base_url=portal.gateway_base_url,
        max_keys_per_account=settings.keys_per_account,
        account_requests_per_day=settings.account_daily_ceiling,
        has_operator=has_operator,
    )


def pages() -> ASGIApp:
    """The application that serves the site, or says that it has not been built."""
    if not (PAGES / "index.html").is_file():
        return PlainTextResponse(NOT_BUILT, 503)
    return Starlette(routes=[Mount("/", Pages(directory=PAGES, html=True))])


class Pages(StaticFiles):
    """The exported site. What has a hash in its name never changes; the rest is revalidated."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The response for a path; the site's own 404 page where there is nothing."""
        response = await super().get_response(path, scope)
        immutable = "_next/static/" in scope["path"] and response.status_code == 200
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if immutable else "no-cache"
        )
        return response
