"""The exported pages, and the headers that block injected code."""

import base64
import gzip
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from daypass.portal.page_security import page_policy, security_headers
from daypass.portal.pages import PAGES, accepted_codings, pages
from tests.conftest import Server

EVERY_ANSWER = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
ADDRESSES = sorted(f"/{page.relative_to(PAGES)}" for page in PAGES.rglob("*.html"))


class InlineScripts(HTMLParser):
    """Return the inline scripts of a page, as an HTML parser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and "src" not in dict(attrs)
        if self._inside:
            self.found.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def hashes_of(page: str) -> set[str]:
    digests = (hashlib.sha256(x.encode()).digest() for x in InlineScripts(page).found)
    return {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}


def directives(policy: str) -> dict[str, list[str]]:
    parts = (directive.split() for directive in policy.split("; "))
    return {name: sources for name, *sources in parts}


def test_every_page_has_a_policy_for_its_own_scripts_only(demo: Server) -> None:
    client = demo.client()
    assert len(ADDRESSES) > 10
    for address in (*ADDRESSES, "/", "/keys/", "/nothing/here"):
        page = client.get(address)
        assert page.status_code == (404 if "nothing" in address else 200)
        policy = directives(page.headers["content-security-policy"])
        scripts = policy.pop("script-src")
        assert scripts[0] == "'self'"
        assert set(scripts[1:]) == hashes_of(page.text) != set(), address
        assert policy == {
            "default-src": ["'none'"],
            "style-src": ["'self'"],
            "img-src": ["'self'", "data:"],
            "font-src": ["'self'"],
            "manifest-src": ["'self'"],
            "connect-src": ["'self'"],
            "form-action": ["'self'"],
            "base-uri": ["'none'"],
            "object-src": ["'none'"],
            "frame-ancestors": ["'none'"],
        }
        assert page.headers.items() >= EVERY_ANSWER.items()
        assert "camera=()" in page.headers["permissions-policy"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_page_needs_a_forbidden_inline_style(address: str) -> None:
    page = (PAGES / address.removeprefix("/")).read_text()
    assert "<style" not in page
    assert re.findall(r"<[^>]+\sstyle=", page) == []
    assert re.findall(r"<[^>]+\son\w+=", page) == []


def test_a_304_page_response_has_its_content_security_policy(demo: Server) -> None:
    client = demo.client()
    page = client.get("/keys/")
    again = client.get("/keys/", headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["content-security-policy"] == page.headers["content-security-policy"]


def test_pages_load_the_site_settings_before_they_are_painted(demo: Server) -> None:
    client = demo.client()
    assert '<script src="/api/site.js"></script>' in client.get("/").text
    marks = client.get("/api/site.js")
    assert marks.headers["content-type"].startswith("text/javascript")
    assert marks.text == (
        'Object.assign(document.documentElement.dataset, {"enforcer": "embedded", "demo": ""});\n'
    )


def test_portal_responses_are_not_rendered_and_not_cached(demo: Server) -> None:
    client = demo.client()
    for path in ("/api/site", "/api/session", "/api/nothing", "/healthz", "/api/openapi.json"):
        answer = client.get(path)
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; frame-ancestors 'none'; sandbox"
        )
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers.items() >= EVERY_ANSWER.items()


def test_the_gateway_adds_no_page_headers_to_relayed_responses(relaying: Server) -> None:
    api = relaying.gateway(relaying.sign_up().create_key()["key"])
    relayed = api.post("/v1/embeddings", json={"input": "x", "model": "m"})
    assert relayed.status_code == 200
    assert {"content-security-policy", *EVERY_ANSWER}.isdisjoint(relayed.headers)
    refused = relaying.gateway("wrong").get("/v1/key")
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_https_sites_send_strict_transport_security() -> None:
    assert security_headers("https://daypass.example.org")["strict-transport-security"]
    for address in ("http://daypass.example.org", None):
        assert "strict-transport-security" not in security_headers(address)


def test_pages_may_connect_to_a_gateway_on_another_origin() -> None:
    policy = page_policy(b"", "https://a1.execute-api.eu-central-1.amazonaws.com/v1")
    assert directives(policy)["connect-src"] == [
        "'self'",
        "https://a1.execute-api.eu-central-1.amazonaws.com",
    ]


def test_brotli_is_preferred_and_smaller(demo: Server) -> None:
    client = demo.client()
    packed = client.head("/keys/", headers={"accept-encoding": "gzip"})
    smaller = client.head("/keys/", headers={"accept-encoding": "gzip, deflate, br, zstd"})
    assert smaller.headers["content-encoding"] == "br"
    assert smaller.headers["content-type"] == packed.headers["content-type"]
    assert smaller.headers["content-security-policy"] == packed.headers["content-security-policy"]
    assert smaller.headers["etag"] != packed.headers["etag"]
    assert int(smaller.headers["content-length"]) < int(packed.headers["content-length"]) * 0.95


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", set()),
        ("gzip, br", {"gzip", "br"}),
        ("GZIP ; q=0.5 , br;q=0, deflate;q=0.000", {"gzip"}),
        ("bread, *", {"bread", "*"}),
        ("br;q=x, ,;", set()),
    ],
)
def test_accepted_encodings_are_parsed(header: str, accepted: set[str]) -> None:
    assert accepted_codings(header) == accepted


def test_a_site_built_without_brotli_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("<p>plain</p>")
    (tmp_path / "index.html.gz").write_bytes(gzip.compress(b"<p>packed</p>"))
    monkeypatch.setattr("daypass.portal.pages.PAGES", tmp_path)
    client = TestClient(pages())
    assert client.get("/", headers={"accept-encoding": "gzip, br"}).text == "<p>packed</p>"
    plain = client.get("/", headers={"accept-encoding": "br"})
    assert (plain.status_code, plain.text) == (200, "<p>plain</p>")
    assert plain.headers["vary"] == "accept-encoding"


def test_pages_are_compressed_if_the_browser_accepts_it(demo: Server) -> None:
    client = demo.client()
    plain = client.get("/keys/", headers={"accept-encoding": "identity"})
    packed = client.get("/keys/", headers={"accept-encoding": "gzip, br;q=0"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.text == plain.text
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["vary"] == "accept-encoding"
    known = {"accept-encoding": "gzip", "if-none-match": packed.headers["etag"]}
    assert client.get("/keys/", headers=known).status_code == 304
    script = re.findall(r'src="(/_next/[^"]+)"', plain.text)[0]
    sent = client.get(script, headers={"accept-encoding": "gzip"})
    assert sent.headers["content-type"].startswith("text/javascript")
    assert sent.headers["cache-control"].endswith("immutable")


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/sign-up", "/sign-up/"),
        ("/docs?q=1", "/docs/?q=1"),
        ("/api/docs", "/docs/"),
        ("/api/api-keys/", "/api/api-keys"),
        # A path that begins with two slashes would lead to another host.
        ("//docs", "/docs/"),
        ("//evil.example/..", None),
    ],
)
def test_redirects_are_relative_to_the_host(demo: Server, path: str, location: str | None) -> None:
    answer = httpx.get(demo.url + path, follow_redirects=False)
    assert answer.headers.get("location") == location
