"""The operator's live view and admin tokens, in a browser."""

import itertools
from typing import Literal

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Person, Server
from tests.e2e.test_accessibility import violations
from tests.e2e.visit import DESKTOP, PHONE, Visit, fits
from tests.support.waiting import until


def call(server: Server, key: str, model: str) -> None:
    with server.gateway(key) as api:
        assert api.post("/v1/embeddings", json={"input": "x", "model": model}).status_code == 200


@pytest.fixture(scope="module")
def key(operated: tuple[Server, Person]) -> str:
    """A key of the operator's."""
    secret: str = operated[1].create_key("30RequestPerDay", "wall clock")["key"]
    return secret


def test_the_live_page_shows_requests_as_they_are_made(
    browser: Browser, operated: tuple[Server, Person], key: str
) -> None:
    server, operator = operated
    visit = Visit(browser, server, DESKTOP, reduced_motion="reduce")
    visit.sign_in(operator)
    page = visit.page
    page.goto("/operator/live/")
    expect(page.get_by_text("Live", exact=True).last).to_be_visible()
    call(server, key, "first-model")
    row = page.get_by_role("row", name="first-model")
    expect(row).to_contain_text(operator.email)
    expect(row).to_contain_text("wall clock")
    expect(page.get_by_role("meter", name="Whole site")).to_be_visible()
    expect(page.get_by_text("active in the last 5 minutes")).to_be_visible()
    _look_at_every_width(page)

    # Projector mode hides names by default; Escape leaves it.
    page.get_by_role("button", name="Projector mode").press("Enter")
    projector = page.get_by_role("dialog", name="Projector mode")
    call(server, key, "projected")
    expect(projector.get_by_role("row", name="projected")).to_be_visible()
    expect(projector).not_to_contain_text(operator.email)
    expect(projector).not_to_contain_text("wall clock")
    projector.get_by_role("switch", name="Show names").press("Space")
    expect(projector.get_by_role("row", name="projected")).to_contain_text(operator.email)
    _look_at_every_width(page)
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(projector).to_have_count(0)
    expect(page.get_by_role("button", name="Projector mode")).to_be_focused()

    # After a lost connection nothing is missing or appears twice.
    assert visit.take_faults() == []
    page.route("**/api/operator/live", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("Connection lost")).to_be_visible()
    call(server, key, "missed")
    page.unroute("**/api/operator/live")
    expect(page.get_by_role("row", name="missed")).to_have_count(1, timeout=20_000)
    expect(page.get_by_role("row", name="first-model")).to_have_count(1)
    visit.close()


def test_the_site_is_paused_and_resumed(
    browser: Browser, operated: tuple[Server, Person], key: str
) -> None:
    server, operator = operated
    visit = Visit(browser, server, PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    visit.sign_in(operator)
    page = visit.page
    page.goto("/operator/live/")
    banner = page.get_by_text("This site is paused.")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Pause the site").tap()
    dialog.get_by_role("button", name="Pause the site").tap()
    expect(banner).to_be_visible()
    assert fits(page)
    with server.gateway(key) as api:
        until(lambda: api.get("/v1/models").is_error)
        page.goto("/keys/")
        expect(banner).to_be_visible()
        page.goto("/operator/live/")
        page.get_by_role("button", name="Resume the site").tap()
        dialog.get_by_role("button", name="Resume the site").tap()
        expect(banner).to_be_hidden()
        until(lambda: api.get("/v1/models").is_success)
    assert visit.take_faults() == []
    visit.close()


def _look_at_every_width(page: Page) -> None:
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for width, scheme in itertools.product((360, 768, 1440), schemes):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert fits(page), (width, scheme)


def test_an_admin_token_is_created_copied_and_revoked(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    server, operator = operated
    visit = Visit(browser, server, PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    visit.sign_in(operator)
    page = visit.page
    page.goto("/operator/tokens/")
    page.get_by_role("button", name="Create token").tap()
    expect(page.get_by_text("Enter a name.")).to_be_visible()
    page.get_by_label("Name").fill("grading script")
    page.get_by_label("Change plans").check()
    page.get_by_role("button", name="Create token").tap()
    token = page.get_by_label("Admin token", exact=True).inner_text()
    assert fits(page)
    assert violations(page) == []
    bearer = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, headers=bearer, timeout=30) as program:
        assert program.get("/api/operator/usage-plans").status_code == 200
        assert program.post("/api/operator/invitations", json={}).status_code == 403
        page.get_by_role("button", name="Revoke grading script").tap()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").tap()
        expect(page.get_by_text("Token revoked.")).to_be_visible()
        expect(page.get_by_text(token)).to_have_count(0)
        assert program.get("/api/operator/usage-plans").status_code == 401
    assert visit.take_faults() == []
    visit.close()
