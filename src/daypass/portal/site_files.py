"""Files that crawlers and browsers look for at the root of a site."""

import base64
import json
from pathlib import Path
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from daypass.domain.colours import LIGHT, accent_for
from daypass.domain.logo import Logo
from daypass.portal.look import LOGO_PATH, Look, LookSource
from daypass.portal.revalidation import revalidated

ROBOTS = """\
User-agent: *
Allow: /$
Allow: /docs/
Allow: /_next/
Allow: /icon.svg
Allow: /api/logo
Allow: /api/site
Disallow: /
"""
"""The landing page and the documentation, with what they load, are for search engines (RFC 9309).

The other pages show nothing without an account.
"""

ICON_COLOUR = "#047857"
"""The colour of the exported icon."""


def site_files(look: LookSource, exported_icon: Path) -> list[BaseRoute]:
    """Return the routes of these files."""

    async def robots(request: Request) -> Response:
        return revalidated(request, ROBOTS.encode(), "text/plain")

    async def web_manifest(request: Request) -> Response:
        content = manifest(await look.read()).encode()
        return revalidated(request, content, "application/manifest+json")

    async def site_icon(request: Request) -> Response:
        content = icon(await look.read(), await look.read_logo(), exported_icon)
        return revalidated(request, content, "image/svg+xml")

    return [
        Route("/robots.txt", robots),
        Route("/manifest.webmanifest", web_manifest),
        Route("/icon.svg", site_icon),
    ]


def manifest(look: Look) -> str:
    """Return the web app manifest (W3C)."""
    icons = [{"src": "/icon.svg", "type": "image/svg+xml", "sizes": "any"}]
    if look.logo and look.logo.media_type == "image/png":
        size = f"{look.logo.width:g}x{look.logo.height:g}"
        icons.append({"src": look.logo_address or LOGO_PATH, "type": "image/png", "sizes": size})
    return json.dumps(
        {
            "name": look.name,
            "short_name": look.name,
            "id": "/",
            "start_url": "/",
            "scope": "/",
            "display": "minimal-ui",
            "background_color": LIGHT.backgrounds[0],
            "theme_color": LIGHT.backgrounds[0],
            "icons": icons,
        }
    )


def icon(look: Look, logo: Logo | None, exported: Path) -> bytes:
    """Return the icon of the site: its logo in a square, or the exported icon in its colour.

    Always SVG, as pages declare it. The file of a logo is embedded as an image, in which scripts
    and references to other files do not work (SVG Integration, secure static mode).
    """
    if logo is None:
        drawing = exported.read_bytes()
        if look.accent_colour:
            colour = accent_for(LIGHT, look.accent_colour).colour
            drawing = drawing.replace(ICON_COLOUR.encode(), colour.encode())
        return drawing
    data = base64.b64encode(logo.content).decode()
    address = escape(f"data:{logo.media_type};base64,{data}")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<image width="32" height="32" href="{address}"/></svg>'
    ).encode()
