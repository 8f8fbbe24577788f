"""From an empty directory to a second browser's answered call, without a terminal after the start.

Set WALK_SCREENSHOTS to a directory to keep a screenshot of each step there.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import PASSWORD, Server, start_server
from tests.e2e.visit import DESKTOP, KEY, Visit, copied, models_and, settled
from tests.support.upstream import FakeUpstream

OPERATOR_INTERACTIONS = 17
PERSON_INTERACTIONS = 6
"""What clicking, typing and choosing may take at most, the operator's and the other person's."""
UPSTREAM_KEY = "sk-planted-key-of-the-upstream-0123456789"


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("five_minutes"))
    yield server
    server.stop()


class Hands:
    """Counts what a person does on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def click(self, name: str, within: Locator | Page | None = None) -> None:
        self.count += 1
        (within or self.page).get_by_role("button", name=name, exact=True).click()

    def fill(self, label: str, text: str, within: Locator | Page | None = None) -> None:
        self.count += 1
        (within or self.page).get_by_label(label, exact=True).fill(text)

    def choose(self, label: str, option: str, within: Locator) -> None:
        self.count += 1
        within.get_by_label(label, exact=True).select_option(option)

    def shoot(self, name: str) -> None:
        if directory := os.environ.get("WALK_SCREENSHOTS"):
            expect(self.page.locator("main .animate-pulse")).to_have_count(0)
            self.page.screenshot(path=Path(directory) / f"{name}.png", animations="disabled")


def test_five_minutes(browser: Browser, empty: Server, upstream: FakeUpstream) -> None:
    upstream.reply = models_and(upstream.reply)
    clipboard = ["clipboard-read", "clipboard-write"]
    visit = Visit(browser, empty, DESKTOP, permissions=clipboard, reduced_motion="reduce")
    page, hands = visit.page, Hands(visit.page)
    dialog = page.get_by_role("dialog")

    settled(page, f"/setup/#{empty.setup_token()}")
    hands.fill("E-mail address", "teacher@example.org")
    hands.fill("Password", PASSWORD)
    hands.click("Create operator account")
    page.wait_for_url("**/operator/")
    checklist = page.get_by_role("region", name="Set up your site")
    progress = page.get_by_role("banner").get_by_role("link", name="Set-up")
    expect(checklist).to_contain_text("0 of 4 done")
    expect(page.get_by_text("Get your first key")).to_have_count(0)
    hands.shoot("five-minutes-1-checklist")

    hands.click("Connect a model", checklist)
    hands.choose("Provider", "Another address", dialog)
    hands.fill("API key", "sk-wrong", dialog)
    hands.fill("Address", "http://127.0.0.1:1/v1", dialog)
    hands.fill("Name", "Our class server", dialog)
    hands.click("Test", dialog)
    expect(dialog.get_by_role("alert")).to_be_visible()
    hands.fill("API key", UPSTREAM_KEY, dialog)
    hands.fill("Address", upstream.base_url, dialog)
    hands.click("Test", dialog)
    expect(dialog.get_by_text("It works.")).to_be_visible()
    hands.shoot("five-minutes-2-upstream")
    hands.click("Add upstream", dialog)
    expect(checklist).to_contain_text("1 of 4 done")
    expect(progress).to_have_accessible_name("Set-up 1/4 steps done")

    # It is left and resumed, also by the link in the header.
    page.reload()
    hands.click("Keep these plans", checklist)
    hands.fill("Name", "Class 7b", checklist)
    hands.click("Save name", checklist)
    expect(checklist).to_contain_text("3 of 4 done")
    hands.click("Copy link", checklist)
    link = copied(page)
    hands.shoot("five-minutes-3-share")
    assert hands.count <= OPERATOR_INTERACTIONS

    other = Visit(browser, empty, DESKTOP, permissions=clipboard, reduced_motion="reduce")
    guest, guest_hands = other.page, Hands(other.page)
    guest.goto(link)
    guest_hands.fill("E-mail address", "pupil@example.org")
    guest_hands.fill("Password", PASSWORD)
    guest_hands.click("Create account")
    guest.wait_for_url("**/keys/")
    guest_hands.click("Create key")
    key = guest.get_by_text(KEY).inner_text()
    guest_hands.click("Copy key")
    assert copied(guest) == key
    guest_hands.shoot("five-minutes-4-key")
    assert guest_hands.count <= PERSON_INTERACTIONS
    with empty.gateway(key) as api:
        asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
        answer = api.post("/v1/chat/completions", json=asked)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello."
    assert upstream.seen[-1].headers["authorization"] == f"Bearer {UPSTREAM_KEY}"

    # The second account ticks the last step, and the list is gone.
    page.reload()
    expect(page.get_by_role("heading", name="Today, all users")).to_be_visible()
    expect(page.get_by_role("link", name="Our class server")).to_be_visible()
    expect(page.get_by_text("1 request since Daypass started, 0 failed")).to_be_visible()
    expect(checklist).to_have_count(0)
    expect(progress).to_have_count(0)
    assert UPSTREAM_KEY not in page.content()
    assert visit.take_faults() == []
    assert other.take_faults() == []
    other.close()
    visit.close()
