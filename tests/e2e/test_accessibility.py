"""Every page with axe-core, in both themes and in every state that shows or hides elements."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.conftest import Person, Server, StartServer
from tests.e2e.visit import DESKTOP, OPERATOR, PUBLIC, SIGNED_IN, Visit, fits, settled

AXE = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
NARROW = (640, 360)
"""A window of 1280 points zoomed to 200 %, and a phone."""


def violations(page: Page) -> list[str]:
    """Return what axe-core finds in both themes, once animations have ended."""
    page.evaluate(AXE.read_text())
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.evaluate(
            "scheme => document.documentElement.classList.toggle('dark', scheme)", scheme == "dark"
        )
        page.evaluate(
            "Promise.allSettled(document.getAnimations().filter("
            "x => x.effect.getComputedTiming().endTime !== Infinity).map(x => x.finished))"
        )
        results: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
        found += [
            f"{scheme} {page.url}: {x['id']} {x['nodes'][0]['html'][:200]} "
            f"{x['nodes'][0]['failureSummary'][:200]}"
            for x in results["violations"]
        ]
    page.evaluate("document.documentElement.classList.remove('dark')")
    return found


def fits_at(page: Page, width: int) -> bool:
    page.set_viewport_size({"width": width, "height": 700})
    fitting = fits(page)
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    return fitting


def visit_of(browser: Browser, operated: tuple[Server, Person]) -> Visit:
    server, operator = operated
    visit = Visit(browser, server, DESKTOP, reduced_motion="reduce")
    visit.sign_in(operator)
    return visit


def test_every_page_passes_axe_fits_the_viewport_and_logs_no_errors(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    visit = visit_of(browser, operated)
    page = visit.page
    found: list[str] = []
    too_wide: list[tuple[str, int]] = []
    for path in (*SIGNED_IN, *OPERATOR):
        settled(page, path)
        found += violations(page)
        too_wide += [(path, width) for width in NARROW if not fits_at(page, width)]
        assert page.title().endswith("Daypass"), path
        assert page.locator("meta[name=description]").count() == 1
    assert visit.take_faults() == []
    visit.context.clear_cookies()
    page.evaluate("localStorage.clear()")
    for path in PUBLIC:
        settled(page, path)
        found += violations(page)
        too_wide += [(path, width) for width in NARROW if not fits_at(page, width)]
    assert [x for x in visit.take_faults() if "404" not in x] == []
    visit.close()
    assert not found, "\n".join(found)
    assert too_wide == []


def test_the_key_reveal_and_dialogs_pass_axe(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    visit = visit_of(browser, operated)
    page = visit.page
    settled(page, "/keys/")
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_role("radio").first).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="New key")).to_be_focused()
    page.get_by_role("button", name="New key").click()
    found = violations(page)
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="Verify key").click()
    expect(page.get_by_text("The key works")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    found += violations(page)
    expect(page.get_by_role("button", name="Close without copying")).to_be_focused()
    page.get_by_role("button", name="Close without copying").click()
    expect(page.get_by_role("button", name="New key")).to_be_focused()
    dialog = page.get_by_role("dialog")
    for name in ("Connect laptop", "Edit laptop", "Rotate laptop", "Delete laptop"):
        button = page.get_by_role("button", name=name)
        button.click()
        found += violations(page)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(button).to_be_focused()
    # If the opener is gone, the focus is on its replacement.
    page.get_by_role("button", name="Delete Key 2").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Delete Key 2")).to_have_count(0)
    expect(page.get_by_role("button", name="Connect laptop")).to_be_focused()
    for path, opener in (
        ("/account/", "Delete account"),
        ("/operator/plans/", "New plan"),
        ("/operator/people/", "Disable"),
        ("/operator/keys/", "Revoke"),
    ):
        settled(page, path)
        button = page.get_by_role("button", name=opener).first
        button.click()
        expect(dialog).to_be_visible()
        found += violations(page)
        page.keyboard.press("Escape")
        expect(button).to_be_focused()
    settled(page, "/chat/")
    page.get_by_role("button", name="Conversations").click()
    found += violations(page)
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Conversations")).to_be_focused()
    settled(page, "/keys/")
    page.get_by_role("button", name="Account").click()
    found += violations(page)
    visit.close()
    assert not found, "\n".join(found)


def test_pages_at_the_limit_pass_axe(browser: Browser, start: StartServer) -> None:
    server = start(DAYPASS_ACCOUNT_REQUESTS_PER_DAY="1", DAYPASS_MAX_KEYS_PER_ACCOUNT="1")
    person = server.sign_up()
    key = person.create_key()["key"]
    with server.gateway(key) as api:
        assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    visit = Visit(browser, server, DESKTOP, reduced_motion="reduce")
    visit.sign_in(person)
    page = visit.page
    settled(page, "/chat/")
    expect(page.get_by_text("1 by key laptop")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_have_attribute("aria-disabled", "true")
    found = violations(page)
    page.get_by_text("Instructions and temperature").click()
    found += violations(page)
    settled(page, "/keys/")
    expect(page.get_by_text("You have reached the limit of")).to_be_visible()
    found += violations(page)
    visit.close()
    assert not found, "\n".join(found)
