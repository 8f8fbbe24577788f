"""The site's exported pages, each with its own content security policy."""

import gzip
import os
import re
from mimetypes import guess_type
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from daypass.portal.look import PLAIN, Look, LookSource
from daypass.portal.page_look import with_look
from daypass.portal.page_security import page_policy
from daypass.portal.revalidation import revalidated
from daypass.portal.site_files import site_files

PAGES = Path(__file__).parents[1] / "_site"

NOT_BUILT = "The site has not been built. In a checkout, 'make run' builds it.\n"


CODINGS = {"br": ".br", "gzip": ".gz"}
"""Content codings in order of preference, with the suffix of their files."""

_PAGE = "daypass.page"
"""Member of a request's scope: the file that is served."""

_CODING = re.compile(r"\s*([a-z0-9*-]+)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?", re.IGNORECASE)


def accepted_codings(header: str) -> set[str]:
    """Return the codings that an `Accept-Encoding` names and allows (RFC 9110, section 12.5.3)."""
    found = (_CODING.fullmatch(part) for part in header.split(","))
    return {x[1].lower() for x in found if x and (x[2] or "1").strip("0.")}


def pages(
    look: LookSource | None = None, gateway_url: str | None = None, public_url: str | None = None
) -> ASGIApp:
    """Return the application that serves the site, or a 503 if it has not been built.

    `gateway_url` is the gateway's URL if it is not on this site's own origin; `public_url` is the
    site's own URL if it is known. Without `look`, the pages stay as they were exported.
    """
    if not (PAGES / "index.html").is_file():
        return PlainTextResponse(NOT_BUILT, 503)
    files = site_files(look, PAGES / "icon.svg") if look else []
    return Starlette(routes=[*files, Mount("/", Pages(look, gateway_url, public_url))])


class Pages(StaticFiles):
    """The exported site. Files with a hash in their name are immutable; others are revalidated."""

    def __init__(
        self, look: LookSource | None, gateway_url: str | None, public_url: str | None
    ) -> None:
        super().__init__(directory=PAGES, html=True)
        self._look = look
        self._public_url = public_url
        self._with_look: dict[str, tuple[Look, bytes]] = {}
        """The last look of each page, and the page in it."""
        self._policies = {
            os.path.realpath(page): page_policy(page.read_bytes(), gateway_url)
            for page in PAGES.rglob("*.html")
        }

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the response for a path, or the site's own 404 page."""
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse) and response.status_code == 404:
            scope[_PAGE] = os.fspath(response.path)
        page = scope.get(_PAGE)
        if page in self._policies:
            look = await self._look.read() if self._look else PLAIN
            if look != PLAIN:
                response = self._page_with_look(page, look, scope, response.status_code)
            # On a 304 as well: the settings may have changed although the page has not.
            response.headers["content-security-policy"] = self._policies[page]
        immutable = "_next/static/" in scope["path"] and response.status_code == 200
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if immutable else "no-cache"
        )
        return response

    def _page_with_look(self, page: str, look: Look, scope: Scope, status: int) -> Response:
        """Return a page that shows the look of the site, packed if the browser accepts it."""
        known, content = self._with_look.get(page, (None, b""))
        if known != look:
            address = f"/{os.path.relpath(page, os.path.realpath(PAGES))}".removesuffix(
                "index.html"
            )
            text = with_look(Path(page).read_text(), look, address, self._public_url)
            content = gzip.compress(text.encode(), mtime=0)
            self._with_look[page] = (look, content)
        headers = {"vary": "accept-encoding"}
        if "gzip" in accepted_codings(Headers(scope=scope).get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
        status = 404 if status == 404 else 200
        return revalidated(Request(scope), content, "text/html", status=status, headers=headers)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file, or its compressed version from the build if the browser accepts it."""
        path = scope[_PAGE] = os.fspath(full_path)
        packed = {coding: path + suffix for coding, suffix in CODINGS.items()}
        # A site built by an older version may lack the files of a coding.
        packed = {x: file for x, file in packed.items() if os.path.isfile(file)}  # noqa: PTH113
        if not packed:
            return super().file_response(full_path, stat_result, scope, status_code)
        accepted = accepted_codings(Headers(scope=scope).get("accept-encoding", ""))
        coding = next((x for x in packed if x in accepted), None)
        chosen = path if coding is None else packed[coding]
        response = super().file_response(chosen, Path(chosen).stat(), scope, status_code)
        response.headers["vary"] = "accept-encoding"
        if coding is not None and isinstance(response, FileResponse):
            kind = guess_type(full_path)[0] or "application/octet-stream"
            text = "; charset=utf-8" if kind.startswith("text/") else ""
            response.headers["content-type"] = kind + text
            response.headers["content-encoding"] = coding
        return response
