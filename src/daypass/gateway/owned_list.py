"""Lists of the operator's stored objects upstream, filtered to those that an account owns."""

from typing import Any, NamedTuple
from urllib.parse import quote, unquote_plus

import orjson

from daypass.gateway.errors import GatewayError, server_error
from daypass.gateway.ownership import Ownership
from daypass.gateway.request import Target
from daypass.gateway.whole_answer import read_whole
from daypass.upstreams.base import Upstream, UpstreamError, UpstreamRequest, UpstreamResponse
from daypass.upstreams.whole_response import WholeResponse

PAGE = 100
PAGES = 50
"""The most pages of the upstream's list that one call reads."""
PAGE_BYTES = 32 * 1024 * 1024
USUAL_LIMIT = 20
FILES_LIMIT = 10_000
"""The maximum and default page size of `GET /files`."""


class Listing(NamedTuple):
    """A client's query for a list."""

    target: Target
    limit: int
    backwards: bool
    query: tuple[bytes, ...]
    """The query's pairs other than those for paging."""

    def page(self, cursor: str | None) -> Target:
        """Return the target of the upstream's page at a cursor; None for the first page."""
        pairs = [*self.query, b"limit=%d" % PAGE]
        if cursor is not None:
            name = b"before" if self.backwards else b"after"
            pairs.append(name + b"=" + quote(cursor, safe="").encode())
        return self.target._replace(query=b"&".join(pairs))


def listing_of(target: Target) -> tuple[Listing, Target]:
    """Return the parsed query of a list, and the target of the upstream's first page.

    Raises GatewayError 400 for an invalid or ambiguous limit or cursor.
    """
    paging: dict[str, str] = {}
    others = []
    for pair in target.query.split(b"&") if target.query else []:
        name, _, value = pair.partition(b"=")
        read = unquote_plus(name.decode("latin-1")).strip().casefold()
        if read not in ("limit", "after", "before"):
            others.append(pair)
        elif read in paging or unquote_plus(name.decode("latin-1")) != read:
            raise _invalid(read)
        else:
            paging[read] = unquote_plus(value.decode("latin-1"))
    if "after" in paging and "before" in paging:
        raise _invalid("before")
    most = FILES_LIMIT if target.path.strip(b"/") == b"files" else PAGE
    limit = paging.get("limit") or str(FILES_LIMIT if most == FILES_LIMIT else USUAL_LIMIT)
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= most):
        raise _invalid("limit")
    listing = Listing(target, int(limit), "before" in paging, tuple(others))
    return listing, listing.page(paging.get("before") or paging.get("after"))


async def only_own(
    listing: Listing,
    first: UpstreamResponse,
    upstream: Upstream,
    ownership: Ownership,
    account_id: str,
) -> UpstreamResponse:
    """Return the account's own items, paging through the upstream's list.

    The result reveals nothing about other accounts, neither ids nor whether they have more items.
    Raises GatewayError: 502 if an answer is not a list, 503 if the list is too long to search.
    """
    document = await _page(first)
    kept: list[Any] = []
    page = document
    for _ in range(PAGES):
        items = page["data"]
        own = await ownership.own(account_id, [_id_of(item) for item in items])
        mine = [item for item in items if _id_of(item) in own]
        kept = mine + kept if listing.backwards else kept + mine
        # One item over the limit shows that there are more.
        if len(kept) > listing.limit or not page.get("has_more") or not items:
            return _answer(listing, first, document, kept)
        cursor = _id_of(items[0 if listing.backwards else -1])
        target = listing.page(cursor)
        try:
            response = await upstream.open(UpstreamRequest("GET", target.raw, [], b""))
        except UpstreamError:
            raise _unreadable() from None
        if response.status != 200:
            response.close()
            raise _unreadable()
        page = await _page(response)
    message = (
        "The upstream stores more objects than Daypass looks through for a list. Name yours by "
        "their ids."
    )
    raise server_error(503, "list_too_long", message)


async def _page(response: UpstreamResponse) -> dict[str, Any]:
    try:
        document = orjson.loads(await read_whole(response, PAGE_BYTES))
    except ValueError:
        raise _unreadable() from None
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        raise _unreadable()
    return document


def _answer(
    listing: Listing, first: UpstreamResponse, document: dict[str, Any], kept: list[Any]
) -> WholeResponse:
    has_more = len(kept) > listing.limit
    shown = kept[-listing.limit :] if listing.backwards else kept[: listing.limit]
    pages = {
        "has_more": has_more,
        "first_id": _id_of(shown[0]) if shown else None,
        "last_id": _id_of(shown[-1]) if shown else None,
    }
    known = ("object", *(name for name in pages if name in document))
    answer = {name: pages.get(name, document.get(name)) for name in known}
    return WholeResponse(first, orjson.dumps(answer | {"data": shown}))


def _id_of(item: Any) -> str:
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else ""


def _invalid(param: str) -> GatewayError:
    message = f"The value of {param!r} in the query cannot be read."
    return GatewayError(400, "invalid_request", message, param=param, uncounted=True)


def _unreadable() -> GatewayError:
    message = "The upstream's list cannot be read, so that Daypass cannot tell what in it is yours."
    return server_error(502, "upstream_unreadable", message)
