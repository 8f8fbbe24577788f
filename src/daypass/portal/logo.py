"""GET /api/logo and /api/site.css: how the site looks, for its pages."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from daypass.portal.context import InPortal
from daypass.portal.look import LookSource
from daypass.portal.problems import ProblemError
from daypass.portal.revalidation import revalidated
from daypass.records import site_logo

router = APIRouter(tags=["site"])

_IMAGES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The logo",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in ("image/svg+xml", "image/png")
        },
    }
}


@router.get("/logo", response_class=Response, responses=_IMAGES)
async def get_logo(request: Request, portal: InPortal) -> Response:
    """Return the site's logo, or 404 if it has none. Needs no session.

    The policy of every answer of the portal applies: opened as a page, the image can run nothing.
    """
    async with portal.database.read() as session:
        logo = await site_logo.find(session)
    if logo is None:
        raise ProblemError(404, "This site has no logo of its own.")
    return revalidated(request, logo.content, logo.media_type)


@router.get("/site.css", include_in_schema=False)
async def get_styles(request: Request, portal: InPortal) -> Response:
    """Return the style sheet with the site's colour and logo."""
    look = await LookSource(portal.database, portal.settings).read()
    return revalidated(request, look.styles().encode(), "text/css")
