"""The site: its exported pages, and what they need to know of this installation."""

import os
from mimetypes import guess_type
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
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
    sign_up: Literal["open", "invite", "closed"]
    enforcer: Literal["embedded", "aws"]
    gateway_base_url: str | None
    max_keys_per_account: int
    account_requests_per_day: int | None
    has_operator: bool
    mail: bool
    sign_in_with: str | None


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
        account_requests_per_day=(await portal.policy()).account_daily_ceiling,
        has_operator=has_operator,
        mail=portal.mailer is not None,
        sign_in_with=settings.sign_in_with,
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

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, or where the browser takes it the one that was compressed in the build."""
        packed = f"{os.fspath(full_path)}.gz"
        if not os.path.isfile(packed):  # noqa: PTH113 (strings, as Starlette has them)
            return super().file_response(full_path, stat_result, scope, status_code)
        is_packed = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        chosen = packed if is_packed else os.fspath(full_path)
        response = super().file_response(chosen, Path(chosen).stat(), scope, status_code)
        response.headers["vary"] = "accept-encoding"
        if is_packed and isinstance(response, FileResponse):
            kind = guess_type(full_path)[0] or "application/octet-stream"
            text = "; charset=utf-8" if kind.startswith("text/") else ""
            response.headers["content-type"] = kind + text
            response.headers["content-encoding"] = "gzip"
        return response
