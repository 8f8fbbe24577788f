"""The operator's navigation and tables, on a phone, a tablet and a desktop, in both themes."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Person, Server
from tests.e2e.test_accessibility import violations
from tests.e2e.visit import DESKTOP, Visit, fits, settled
from tests.support.portal import invited
from tests.support.waiting import until

WIDTHS = (360, 768, 1440)
MEASURE_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def visit_of(operated: tuple[Server, Person], browser: Browser, width: int, **more: Any) -> Visit:
    server, operator = operated
    size = {"width": width, "height": 800}
    visit = Visit(browser, server, size, reduced_motion="reduce", **more)
    visit.sign_in(operator)
    return visit


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_navigation_is_in_the_header_and_nothing_moves(
    browser: Browser, operated: tuple[Server, Person], width: int, theme: str
) -> None:
    visit = visit_of(operated, browser, width, color_scheme=theme)
    page = visit.page
    page.add_init_script(MEASURE_SHIFTS)
    settled(page, "/operator/audit-log/")
    nav = page.get_by_role("banner").get_by_role("navigation", name="Operator pages")
    current = nav.get_by_role("link", name="Audit log")
    expect(current).to_have_attribute("aria-current", "page")
    expect(current).to_be_in_viewport(ratio=0.9)
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")
    assert page.evaluate("window.shifts") < 0.01
    assert fits(page)
    nav.get_by_role("link", name="People").focus()
    page.keyboard.press("Tab")
    expect(nav.get_by_role("link", name="Keys")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/operator/keys/")
    expect(nav.locator("[aria-current=page]")).to_have_text("Keys")
    assert visit.take_faults() == []
    visit.close()


def emails(page: Page) -> list[str]:
    return (
        page.get_by_role("region", name="People").locator("tbody td:nth-child(2)").all_inner_texts()
    )


def test_a_table_keeps_its_search_order_and_page_in_the_address(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    server, operator = operated
    people = sorted(invited(server, operator).email for _ in range(3))
    visit = visit_of(operated, browser, DESKTOP["width"])
    page = visit.page
    settled(page, "/operator/people/")
    page.get_by_role("searchbox").fill("example.org")
    page.wait_for_url("**/operator/people/?search=example.org")
    page.get_by_role("button", name="E-mail address").click()
    page.wait_for_url("**/operator/people/?search=example.org&sort=email")
    header = page.get_by_role("columnheader", name="E-mail address")
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="E-mail address").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    descending = "**/operator/people/?search=example.org&sort=email&order=desc"
    page.wait_for_url(descending)
    expect(page.get_by_text(people[0])).to_be_visible()
    # The rows of the previous order stay until the new ones have come.
    until(lambda: (found := emails(page)) == sorted(found, reverse=True))
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("example.org")
    expect(header).to_have_attribute("aria-sort", "descending")
    page.go_back()
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.go_back()
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.go_forward()
    expect(page.get_by_role("searchbox")).to_have_value("example.org")
    assert visit.take_faults() == []
    visit.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_many_are_selected_for_one_action_and_failures_stay_selected(
    browser: Browser, operated: tuple[Server, Person], width: int
) -> None:
    server, operator = operated
    people = [invited(server, operator) for _ in range(2)]
    visit = visit_of(operated, browser, width)
    page = visit.page
    settled(page, "/operator/people/?search=example.org")
    for email in (operator.email, *(person.email for person in people)):
        page.get_by_role("checkbox", name=f"Select {email}").check()
        button = page.get_by_role("button", name=f"Disable: {email}")
        button.scroll_into_view_if_needed()
        expect(button).to_be_in_viewport(ratio=1)
    bar = page.get_by_role("region", name="Selected rows")
    expect(bar).to_be_in_viewport(ratio=1)
    assert fits(page)
    bar.get_by_role("button", name="Disable").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Disable 3 accounts?")
    dialog.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("status").get_by_text("2 accounts disabled.")).to_be_visible()
    notice = page.get_by_role("alert").filter(has_text="1 item was not changed")
    expect(notice).to_contain_text(f"{operator.email}: This is your own account.")
    expect(bar).to_contain_text("1 selected")
    expect(page.get_by_role("checkbox", name=f"Select {operator.email}")).to_be_checked()
    assert fits(page)
    assert violations(page) == []
    assert visit.take_faults() == []
    visit.close()


def test_keys_are_moved_and_invitations_withdrawn_together(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    server, operator = operated
    person = invited(server, operator)
    for name in ("first", "second"):
        person.create_key(name=name)
    for note in ("left", "right"):
        operator.http.post("/api/operator/invitations", json={"note": note})
    visit = visit_of(operated, browser, WIDTHS[0])
    page = visit.page
    dialog = page.get_by_role("dialog")
    toasts = page.get_by_role("status")
    bar = page.get_by_role("region", name="Selected rows")
    settled(page, f"/operator/keys/?search={person.email}")
    page.get_by_role("checkbox", name="Select all").check()
    bar.get_by_role("button", name="Change plan").click()
    dialog.get_by_label("Plan").select_option("20 requests per day")
    dialog.get_by_role("button", name="Save").click()
    expect(toasts.get_by_text("2 keys moved.")).to_be_visible()
    expect(bar).to_have_count(0)
    settled(page, "/operator/sign-up/")
    for note in ("left", "right"):
        page.get_by_role("checkbox", name=f"Select {note}").check()
    bar.get_by_role("button", name="Withdraw").click()
    dialog.get_by_role("button", name="Withdraw").click()
    expect(toasts.get_by_text("2 invitations withdrawn.")).to_be_visible()
    assert fits(page)
    assert visit.take_faults() == []
    visit.close()
