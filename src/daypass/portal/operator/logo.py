"""/api/operator/logo: upload and remove the site's logo; /api/operator/look: how it looks."""

import asyncio

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from daypass.domain.colours import DARK, LIGHT, Theme, accent_for
from daypass.domain.logo import LOGO_TYPES, logo_type, read_logo
from daypass.portal.context import InPortal, Operator
from daypass.portal.look import Look, read_look
from daypass.portal.problems import ProblemError
from daypass.records import audit, site_logo

router = APIRouter()

_FILE = {
    "requestBody": {
        "required": True,
        "content": {x: {"schema": {"type": "string", "format": "binary"}} for x in LOGO_TYPES},
    }
}


class LogoView(BaseModel):
    """The logo. An SVG image is measured in the units of its view box, a PNG image in pixels."""

    url: str
    media_type: str
    width: float
    height: float


class AccentView(BaseModel):
    """The accent colour as one theme shows it."""

    colour: str
    contrast: float = Field(description="Lowest contrast with the backgrounds; at least 4.5")


class LookView(BaseModel):
    """The logo and the accent colour as they are shown. Null: those of Daypass."""

    logo: LogoView | None
    accent_light: AccentView | None
    accent_dark: AccentView | None


@router.get("/look")
async def show_look(_operator: Operator, portal: InPortal) -> LookView:
    """Return the logo, and the accent colour as each theme shows it."""
    async with portal.database.read() as session:
        return _view(await read_look(session, await portal.site_settings(session)))


@router.put("/logo", openapi_extra=_FILE)
async def put_logo(request: Request, operator: Operator, portal: InPortal) -> LookView:
    """Set the site's logo: an SVG or PNG image of at most 200 kB, as the body of the request.

    The stored and served file is rewritten, without anything that could run or load. Returns 422
    for a file that is damaged or has such parts.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    media_type = logo_type(declared)
    if media_type is None:
        raise ProblemError(415, "Upload an SVG or PNG file: image/svg+xml or image/png.")
    file = await request.body()
    try:
        # In a thread, because unpacking and packing a large image takes a while.
        logo = await asyncio.to_thread(read_logo, media_type, file)
    except ValueError as error:
        raise ProblemError(422, str(error), field="logo") from None
    detail = f"{media_type}, {logo.width:g} × {logo.height:g}, {len(logo.content):,} bytes"
    async with portal.database.write() as session:
        await site_logo.replace(session, logo)
        audit.add(session, operator, "logo changed", "logo", now=portal.now(), detail=detail)
        return _view(await read_look(session, await portal.site_settings(session)))


@router.delete("/logo", status_code=204)
async def delete_logo(operator: Operator, portal: InPortal) -> None:
    """Remove the site's logo, so that pages show that of Daypass."""
    async with portal.database.write() as session:
        if not await site_logo.remove(session):
            raise ProblemError(404, "This site has no logo of its own.")
        audit.add(session, operator, "logo removed", "logo", now=portal.now())


def _view(look: Look) -> LookView:
    logo = look.logo and LogoView(
        url=look.logo_address or "",
        media_type=look.logo.media_type,
        width=look.logo.width,
        height=look.logo.height,
    )
    return LookView(
        logo=logo,
        accent_light=_accent(LIGHT, look.accent_colour),
        accent_dark=_accent(DARK, look.accent_colour),
    )


def _accent(theme: Theme, colour: str | None) -> AccentView | None:
    if colour is None:
        return None
    accent = accent_for(theme, colour)
    return AccentView(colour=accent.colour, contrast=round(accent.contrast, 2))
