"""Origins that may change state with a browser's cookie."""

import httpx2 as httpx
import pytest

from tests.conftest import Person, Server

BODY = {"name": "x", "usage_plan_id": "10RequestPerDay"}


@pytest.fixture(scope="module")
def browser(demo: Server) -> httpx.Client:
    """A signed-in browser that sends no Origin of its own."""
    person: Person = demo.sign_up()
    return httpx.Client(base_url=demo.url, cookies=dict(person.http.cookies))


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("null", None),
        ("null", "same-origin"),
        ("https://evil.example", None),
        ("https://evil.example", "same-origin"),
        ("http://sub.{host}", None),
        ("http://{host}.evil.example", None),
        ("http://127.0.0.1:1", None),
        ("http://127.0.0.1", None),
        ("http://localhost:{port}", None),
        ("http://{host}/", None),
        ("http://evil.example@{host}", None),
        ("http://{host}, https://evil.example", None),
        ("{host}", None),
        (None, None),
        (None, "cross-site"),
        (None, "same-site"),
        (None, "none"),
        (None, "SAME-ORIGIN"),
    ],
)
def test_cross_origin_requests_change_nothing(
    browser: httpx.Client, demo: Server, origin: str | None, site: str | None
) -> None:
    host = demo.url.removeprefix("http://")
    headers = {"sec-fetch-site": site} if site else {}
    if origin is not None:
        headers["origin"] = origin.format(host=host, port=host.partition(":")[2])
    for method, path in (
        ("POST", "/api/api-keys"),
        ("DELETE", "/api/session"),
        ("PUT", "/api/account/password"),
        ("PUT", "/api/confirmations"),
        ("POST", "/api/session/oidc"),
    ):
        response = browser.request(method, path, json=BODY, headers=headers)
        assert response.status_code == 403, path
        assert "did not come from this site" in response.json()["detail"]
    assert browser.get("/api/session").status_code == 200


def test_same_origin_requests_are_allowed(browser: httpx.Client, demo: Server) -> None:
    made = [
        browser.post("/api/api-keys", json=BODY, headers={"origin": demo.url}),
        browser.post("/api/api-keys", json=BODY, headers={"sec-fetch-site": "same-origin"}),
    ]
    assert [x.status_code for x in made] == [201, 201]


def test_a_forged_host_header_does_not_make_an_origin_trusted(
    browser: httpx.Client, demo: Server
) -> None:
    """Browsers set the Host header themselves, and the Origin must match it."""
    headers = {"origin": "https://evil.example", "x-forwarded-host": "evil.example"}
    assert browser.post("/api/api-keys", json=BODY, headers=headers).status_code == 403
