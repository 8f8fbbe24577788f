"""The set-up page: from the link that the server printed to the operator's pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import PASSWORD, Server, start_server
from tests.e2e.test_accessibility import violations
from tests.e2e.visit import PHONE, Visit, fits, settled
from tests.support.upstream import FakeUpstream


@pytest.fixture
def site(upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(
        tmp_path_factory.mktemp("setup"), DAYPASS_UPSTREAM_BASE_URL=upstream.base_url
    )
    yield server
    server.stop()


def test_the_operator_is_created_by_keyboard_alone_on_a_phone(
    browser: Browser, site: Server
) -> None:
    token = site.setup_token()
    visit = Visit(browser, site, PHONE, reduced_motion="reduce")
    page = visit.page
    settled(page, "/setup/")
    expect(page.get_by_text("Open the set-up link")).to_be_visible()
    page.goto("about:blank")
    settled(page, f"/setup/#{token}")
    # The token is no longer in the address bar or the history.
    page.wait_for_url(f"{site.url}/setup/")
    assert violations(page) == []
    assert fits(page)
    page.get_by_label("E-mail address").focus()
    page.keyboard.type("ada@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type("short")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Use at least 10 characters.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/operator/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.go_back()
    page.wait_for_url("about:blank")
    page.go_forward()
    page.wait_for_url("**/operator/")
    assert token not in page.evaluate("JSON.stringify(performance.getEntriesByType('resource'))")
    assert all(token not in response.url for response in visit.responses)
    assert visit.take_faults() == []
    page.goto("about:blank")
    settled(page, f"/setup/#{token}")
    expect(page.get_by_text("This site is already set up.")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_count(0)
    assert violations(page) == []
    assert visit.take_faults() == []
    visit.close()


def test_a_wrong_setup_link_says_what_to_do(browser: Browser, site: Server) -> None:
    visit = Visit(browser, site, PHONE, reduced_motion="reduce")
    page = visit.page
    settled(page, "/setup/")
    expect(page.get_by_text("Open the set-up link")).to_be_visible()
    # Pasting the link into the same tab changes the fragment and loads nothing.
    page.evaluate("location.hash = 'made-up'")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create operator account").click()
    expect(page.get_by_role("alert").filter(has_text="daypass setup-link")).to_be_visible()
    visit.close()
