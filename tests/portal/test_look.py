"""The site's name, logo, colour and texts, in everything that shows them."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.headerregistry import Address
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import httpx2 as httpx
import pytest

from daypass.portal.email_templates import Letter, Site, has_account
from daypass.portal.mailer import DeliveryError, Mailer
from tests.conftest import Person, Server, start_public
from tests.domain.test_png import image
from tests.domain.test_svg import svg
from tests.portal.test_pages import ADDRESSES, directives, hashes_of
from tests.support.portal import problem

HOSTILE = """</title><script>alert("x")</script>'&amp;\\ \\u003c"""
SVG = {"content-type": "image/svg+xml"}
PNG = {"content-type": "image/png"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_public(tmp_path_factory.mktemp("look"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.set_up()


@pytest.fixture(autouse=True)
def plain(operator: Person) -> Iterator[None]:
    """Restore the look of Daypass afterwards."""
    yield
    names = ("site_name", "accent_colour", "welcome_text", "announcement", "terms")
    change(operator, **dict.fromkeys(names))
    operator.http.delete("/api/operator/logo")


def change(operator: Person, **values: Any) -> httpx.Response:
    return operator.http.patch("/api/operator/settings", json=values)


def put_logo(operator: Person, file: bytes, headers: dict[str, str]) -> httpx.Response:
    return operator.http.put("/api/operator/logo", content=file, headers=headers)


class Head(HTMLParser):
    """The title, metas and links of a page, and the name in its header."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.title = self.name = ""
        self.metas: dict[str, str] = {}
        self.links: list[dict[str, str | None]] = []
        self._in: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "meta":
            self.metas[found.get("property") or found.get("name") or ""] = (
                found.get("content") or ""
            )
        if tag == "link":
            self.links.append(found)
        self._in = "title" if tag == "title" else "name" if "data-site-name" in found else None

    def handle_data(self, data: str) -> None:
        if self._in == "title":
            self.title += data
        if self._in == "name":
            self.name += data

    def handle_endtag(self, tag: str) -> None:
        self._in = None


def test_a_hostile_site_name_is_escaped_on_every_page(site: Server, operator: Person) -> None:
    exported = {address: site.client().get(address).text for address in ADDRESSES}
    assert change(operator, site_name=HOSTILE, welcome_text=f"{HOSTILE}\n\nMore").is_success
    client = site.client()
    for address in (*ADDRESSES, "/nothing/here"):
        page = client.get(address)
        head = Head(page.text)
        assert HOSTILE in head.title, address
        assert "Daypass" not in head.title
        assert head.name == HOSTILE
        assert head.metas["og:site_name"] == head.metas["application-name"] == HOSTILE
        assert head.metas["og:description"] == head.metas["description"] == HOSTILE
        assert 'alert("x")' not in page.text
        # The scripts are those of the exported page, and the policy allows no others.
        policy = directives(page.headers["content-security-policy"])
        assert set(policy["script-src"][1:]) == hashes_of(page.text)
        if address in exported:
            assert hashes_of(page.text) == hashes_of(exported[address])
            assert Head(exported[address]).name == "Daypass"


def test_a_hostile_site_name_is_escaped_in_scripts_and_json(site: Server, operator: Person) -> None:
    change(operator, site_name=HOSTILE)
    client = site.client()
    script = client.get("/api/site.js").text
    (marks,) = re.findall(r"dataset, (\{.*\})\);$", script.strip())
    assert json.loads(marks)["siteName"] == HOSTILE
    assert client.get("/api/site").json()["site_name"] == HOSTILE
    manifest = client.get("/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    assert manifest.json()["name"] == HOSTILE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("site_name", "Lab\r\nBcc: everyone@example.org"),
        ("site_name", "Lab\u2028x"),
        ("site_name", "Lab\0"),
        ("site_name", "\u202egnp.exe"),
        ("site_name", " "),
        ("site_name", "x" * 61),
        ("accent_colour", "red"),
        ("accent_colour", "#04785"),
        ("accent_colour", "#047857;}*{display:none"),
        ("welcome_text", "\x1b[2J"),
        ("welcome_text", "x" * 2001),
        ("announcement", "Hello"),
    ],
)
def test_line_breaks_and_css_injection_in_the_look_are_refused(
    operator: Person, name: str, value: str
) -> None:
    assert problem(change(operator, **{name: value}), name) == 422


def test_errors_name_members_of_terms_and_announcements(operator: Person) -> None:
    wrong = change(operator, terms={"text": "Be kind.", "version": ""})
    assert problem(wrong, "terms/version") == 422
    times = {"from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"}
    wrong = change(operator, announcement={"text": "Hi", **times})
    assert problem(wrong, "announcement") == 422
    assert "ends before it begins" in wrong.json()["errors"][0]["detail"]
    local = change(operator, announcement={"text": "Hi", "until": "2026-12-01T00:00:00"})
    assert problem(local, "announcement/until") == 422


def test_pages_and_cached_assets_follow_a_change_of_the_look(
    site: Server, operator: Person
) -> None:
    client = site.client()
    before = client.get("/keys/")
    change(operator, site_name="Lab")
    known = {"if-none-match": before.headers["etag"]}
    after = client.get("/keys/", headers=known)
    assert (after.status_code, Head(after.text).title) == (200, "API keys · Lab")
    assert after.headers["content-encoding"] == "gzip"
    assert client.get("/keys/", headers={"accept-encoding": "identity"}).text == after.text
    again = client.get("/keys/", headers={"if-none-match": after.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["content-security-policy"] == after.headers["content-security-policy"]
    sent = client.head("/keys/")
    assert sent.headers["content-length"] == after.headers["content-length"]
    change(operator, site_name="Other lab")
    assert Head(client.get("/keys/", headers=known).text).title == "API keys · Other lab"
    change(operator, site_name=None)
    assert (
        client.get("/keys/", headers={"if-none-match": after.headers["etag"]}).text == before.text
    )


def test_the_site_colour_is_loaded_before_the_first_paint(site: Server, operator: Person) -> None:
    client = site.client()
    assert "/api/site.css" not in client.get("/").text
    assert change(operator, accent_colour=" #FFCC00 ").is_success
    page = client.get("/").text
    (link,) = re.findall(r'<link rel="stylesheet" href="(/api/site.css\?v=\w+)"/>', page)
    styles = client.get(link)
    assert styles.headers["content-type"].startswith("text/css")
    assert re.fullmatch(
        r"html:root\{--accent:#\w{6};--accent-soft:#\w{6}\}\n"
        r"html\.dark:root\{--accent:#ffcc00;--accent-soft:#\w{6}\}\n",
        styles.text,
    )
    assert client.get(link, headers={"if-none-match": styles.headers["etag"]}).status_code == 304
    look = operator.http.get("/api/operator/look").json()
    assert look["accent_dark"] == {"colour": "#ffcc00", "contrast": pytest.approx(10, abs=3)}
    assert 4.5 <= look["accent_light"]["contrast"] < 4.7
    assert look["accent_light"]["colour"] in styles.text
    assert look["accent_light"]["colour"] in client.get("/icon.svg").text


def test_an_uploaded_logo_is_reencoded_without_scripts(site: Server, operator: Person) -> None:
    client = site.client()
    assert problem(client.get("/api/logo")) == 404
    drawn = svg('<!-- secret --><path d="M0 0h9v9z" fill="#047857" data-x="1"/>')
    assert put_logo(operator, drawn, SVG).json()["logo"]["width"] == 40
    logo = client.get("/api/logo")
    assert logo.headers["content-type"] == "image/svg+xml"
    assert logo.headers["x-content-type-options"] == "nosniff"
    policy = directives(logo.headers["content-security-policy"])
    assert policy == {"default-src": ["'none'"], "frame-ancestors": ["'none'"], "sandbox": []}
    assert "secret" not in logo.text
    assert "data-x" not in logo.text
    known = {"if-none-match": logo.headers["etag"]}
    assert client.get("/api/logo", headers=known).status_code == 304
    styles = client.get("/api/site.css").text
    (address,) = re.findall(r'--site-logo:url\("(/api/logo\?v=\w+)"\);', styles)
    assert client.get(address).content == logo.content
    assert '"logo": ""' in client.get("/api/site.js").text
    icon = ElementTree.fromstring(client.get("/icon.svg").content)
    assert icon[0].attrib["href"].startswith("data:image/svg+xml;base64,")
    # A PNG file takes its place, for link previews too.
    assert put_logo(operator, image(), PNG).is_success
    assert client.get("/api/logo", headers=known).headers["content-type"] == "image/png"
    head = Head(client.get("/docs/").text)
    assert head.metas["og:image"].startswith(f"{site.url}/api/logo?v=")
    assert head.metas["og:url"] == f"{site.url}/docs/"
    assert client.get("/manifest.webmanifest").json()["icons"][1]["sizes"] == "2x2"
    assert operator.http.delete("/api/operator/logo").status_code == 204
    assert problem(operator.http.delete("/api/operator/logo")) == 404
    assert problem(client.get("/api/logo")) == 404
    log = operator.http.get("/api/operator/audit-log", params={"search": "logo"}).json()
    assert [x["action"] for x in log][:3] == ["logo removed", "logo changed", "logo changed"]


@pytest.mark.parametrize(
    ("file", "headers", "status", "words"),
    [
        (svg("<script>alert(1)</script>"), SVG, 422, "<script>, which is not allowed"),
        (svg("<path onload='x()'/>"), SVG, 422, "event handler onload"),
        (image(), SVG, 422, "SVG file is damaged"),
        (svg(""), PNG, 422, "not a PNG file"),
        (image(rows=bytes(10_000_000)), PNG, 422, "do not fit its size"),
        (svg("<g/>" * 52_000), SVG, 422, "at most 200 kB"),
        (bytes(1024 * 1024 + 1), PNG, 413, "too large"),
        (svg(""), {"content-type": "text/html"}, 415, "SVG or PNG"),
        (b"", {}, 415, "SVG or PNG"),
    ],
)
def test_invalid_logos_get_a_clear_error(
    operator: Person, file: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    refused = put_logo(operator, file, headers)
    assert problem(refused, "logo" if status == 422 else None) == status
    assert words in refused.json()["detail"]
    assert operator.http.get("/api/operator/look").json()["logo"] is None


def test_an_announcement_is_shown_only_in_its_time_range(site: Server, operator: Person) -> None:
    def shown(**times: float) -> Any:
        instants = {x: datetime.fromtimestamp(at, UTC).isoformat() for x, at in times.items()}
        changed = change(operator, announcement={"text": "Line one\r\nLine two", **instants})
        assert changed.status_code == 200, changed.text
        return site.client().get("/api/site").json()["announcement"]

    now = time.time()
    assert shown()["text"] == "Line one\nLine two"
    shown_until = shown(**{"from": now - 60, "until": now + 3600})["until"]
    assert datetime.fromisoformat(shown_until).timestamp() == pytest.approx(now + 3600, abs=1)
    assert shown(**{"from": now + 60}) is None
    assert shown(until=now - 1) is None


def test_crawlers_may_read_the_landing_page_and_the_documentation(site: Server) -> None:
    robots = site.client().get("/robots.txt")
    assert robots.headers["content-type"].startswith("text/plain")
    rules = [line.split(": ") for line in robots.text.strip().splitlines()]
    assert rules[0] == ["User-agent", "*"]
    assert rules[-1] == ["Disallow", "/"]
    allowed = [path for rule, path in rules if rule == "Allow"]
    assert {"/$", "/docs/"} <= set(allowed)
    assert not any(x.startswith(("/keys", "/operator", "/api/a", "/v1")) for x in allowed)
    # Of the answers of the portal, pages need the logo and what begins with /api/site.
    assert "Allow: /api/site\n" in robots.text


def test_mails_name_the_site() -> None:
    hostile = 'Lab "<x@evil.example>", é; Bcc: z'
    letter = has_account(Site("https://keys.example.org", hostile))
    assert letter.subject == f"You already have an account ({hostile})"
    assert f"at {hostile} (https://keys.example.org)." in letter.text
    mailer = Mailer("smtp://x", "daypass@site.example", "https://keys.example.org")
    message = mailer._compose("mai_1", "ada@example.org", letter)
    assert message["From"].addresses == (Address(hostile, "daypass", "site.example"),)
    assert message["Subject"] == letter.subject
    assert "Bcc" not in message
    unnamed = has_account(Site("https://keys.example.org"))
    assert unnamed.subject == "You already have an account (keys.example.org)"
    assert mailer._compose("mai_1", "a@example.org", unnamed)["From"] == "daypass@site.example"


async def test_a_line_break_in_the_site_name_cannot_inject_a_header() -> None:
    mailer = Mailer("smtp://127.0.0.1:1", "daypass@site.example", "https://keys.example.org")
    with pytest.raises(DeliveryError, match="cannot be composed") as refused:
        await mailer.send("mai_1", "ada@example.org", Letter("s", "t", "x\r\nBcc: y@example.org"))
    assert refused.value.permanent
