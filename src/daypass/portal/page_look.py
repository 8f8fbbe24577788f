"""The look of the site in its exported pages.

Pages are exported with the name and the icon of Daypass. What is replaced lies outside of scripts,
so the policy of the exported page, which allows its scripts by their hashes, remains right.
"""

import re
from html import escape

from daypass.portal.look import PRODUCT, Look

_TITLE = re.compile(r"(<title>)([^<]*)(</title>)")
_META = re.compile(r'(<meta (?:name|property)="([a-z:_-]+)" content=")([^"]*)("/?>)')
_NAME = re.compile(r"(<\w+ [^>]*\bdata-site-name\b[^>]*>)[^<]*(<)")
_NAMING = ("og:title", "og:site_name", "application-name", "twitter:title")
_DESCRIBING = ("description", "og:description", "twitter:description")


def with_look(page: str, look: Look, path: str, public_url: str | None) -> str:
    """Return an exported page with the look of the site. `path` is the address of the page."""
    name = escape(look.name)

    def named(found: re.Match[str]) -> str:
        return found[1] + found[2].replace(PRODUCT, name) + found[3]

    def meta(found: re.Match[str]) -> str:
        value = found[3]
        if found[2] in _NAMING:
            value = value.replace(PRODUCT, name)
        elif found[2] in _DESCRIBING and look.description:
            value = escape(look.description)
        return found[1] + value + found[4]

    head, end, body = page.partition("</head>")
    head = _META.sub(meta, _TITLE.sub(named, head, count=1))
    body = _NAME.sub(lambda found: found[1] + name + found[2], body)
    return head + _links(look, path, public_url) + end + body


def _links(look: Look, path: str, public_url: str | None) -> str:
    """Return what the head of a page has in addition."""
    tags = []
    if look.styles_address:
        tags.append(f'<link rel="stylesheet" href="{look.styles_address}"/>')
    is_png = look.logo is not None and look.logo.media_type == "image/png"
    if is_png:
        # Neither Apple's home screens nor link previews take SVG.
        tags.append(f'<link rel="apple-touch-icon" href="{look.logo_address}"/>')
    if public_url:
        tags.append(f'<meta property="og:url" content="{escape(public_url + path)}"/>')
        if is_png:
            address = escape(f"{public_url}{look.logo_address}")
            tags.append(f'<meta property="og:image" content="{address}"/>')
    return "".join(tags)
