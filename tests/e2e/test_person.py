"""A person's page for operators, at three widths and in both themes."""

from typing import Any

from playwright.sync_api import Browser, expect

from tests.conftest import Person, Server
from tests.e2e.test_accessibility import violations
from tests.e2e.visit import DESKTOP, Visit, copied, fits
from tests.support.outputs import OUTPUTS
from tests.support.portal import invited

NEW = "planted-password of another day"
WIDTHS = (360, 768, 1440)


def test_an_operator_manages_a_person_on_their_page(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    server, operator = operated
    person = invited(server, operator)
    key = person.create_key(name="notebook")
    with server.gateway(key["key"]) as api:
        assert api.post("/v1/embeddings", json={"input": "x", "model": "m"}).status_code == 200
    permissions = ["clipboard-read", "clipboard-write"]
    visit = Visit(browser, server, DESKTOP, permissions=permissions, reduced_motion="reduce")
    visit.sign_in(operator)
    page, dialog = visit.page, visit.page.get_by_role("dialog")
    toasts = page.get_by_role("status")

    def fits_everywhere() -> bool:
        fitting = []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            fitting.append(fits(page))
        return all(fitting)

    # The lists lead to the page.
    page.goto("/operator/keys/")
    page.get_by_role("link", name=person.email).first.click()
    expect(page.get_by_role("heading", name=person.email)).to_be_visible()
    expect(page.get_by_text("9 requests left today", exact=True)).to_be_visible()
    expect(page.get_by_role("meter").first).to_be_visible()
    expect(page.get_by_role("region", name="List of recent requests")).to_contain_text("notebook")
    assert fits_everywhere()
    assert violations(page) == []

    # By keyboard: change the key's plan.
    page.set_viewport_size({"width": 360, "height": 780})
    page.get_by_role("button", name="Change plan notebook").press("Enter")
    dialog.get_by_label("Plan").select_option("20RequestPerDay")
    dialog.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("19 requests left today", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Change plan notebook")).to_be_focused()
    expect(page.get_by_role("region", name="What operators did")).to_contain_text("key moved")

    # The link is shown once.
    page.get_by_role("button", name="Reset password").click()
    dialog.get_by_role("button", name="Create link").click()
    expect(toasts.get_by_text("Reset link created.")).to_be_visible()
    page.get_by_role("button", name="Copy link").click()
    link = copied(page)
    OUTPUTS.plant(link.partition("#token=")[2])
    expect(page.get_by_label("Password reset link")).to_have_text(link)
    assert fits_everywhere()
    assert violations(page) == []
    page.reload()
    expect(page.get_by_role("heading", name=person.email)).to_be_visible()
    expect(page.get_by_label("Password reset link")).to_have_count(0)
    assert visit.take_faults() == []

    # The person opens it in another browser.
    own = Visit(browser, server, DESKTOP, reduced_motion="reduce")
    own.page.goto(link)
    own.page.get_by_label("New password", exact=True).fill(NEW)
    own.page.get_by_role("button", name="Save password").click()
    expect(own.page.get_by_text("Your new password is saved.")).to_be_visible()
    body: dict[str, Any] = {"email": person.email, "password": NEW}
    assert server.client().post("/api/session", json=body).status_code == 200
    assert own.take_faults() == []
    own.close()

    page.get_by_role("button", name="Sign out", exact=True).click()
    dialog.get_by_role("button", name="Sign out").click()
    expect(toasts.get_by_text("Signed out everywhere.")).to_be_visible()
    expect(page.get_by_text("Not signed in anywhere.")).to_be_visible()
    page.get_by_role("button", name="Revoke notebook").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("This person has no keys.")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/operator/people/")
    expect(page.get_by_text(person.email)).to_have_count(0)
    visit.close()
