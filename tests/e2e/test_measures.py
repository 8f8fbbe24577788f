"""Limits on tokens, from the operator's form to the remaining quota after a chat."""

import re

from playwright.sync_api import Browser, expect

from tests.conftest import Person, Server
from tests.e2e.visit import PHONE, Visit, fits


def test_a_token_plan_is_created_used_and_shown(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    server, operator = operated
    visit = Visit(browser, server, PHONE, reduced_motion="reduce")
    visit.sign_in(operator)
    page = visit.page
    dialog = page.get_by_role("dialog")

    page.goto("/operator/plans/")
    page.get_by_role("button", name="New plan").click()
    dialog.get_by_label("Name").fill("Tokens")
    dialog.get_by_label("ID").fill("tokens")
    first, second = (dialog.get_by_role("group", name=f"Limit {n}") for n in (1, 2))
    first.get_by_label("Amount").fill("6000")
    first.get_by_label("Measure").select_option("tokens")
    # By keyboard: a second limit gets the focus and returns it when it is removed.
    dialog.get_by_role("button", name="Add limit").press("Enter")
    expect(second.get_by_label("Amount")).to_be_focused()
    page.keyboard.type("0.0000001")
    second.get_by_label("Measure").select_option("US dollars")
    dialog.get_by_label("Output tokens per request").fill("500")
    page.keyboard.press("Enter")
    expect(second.get_by_role("alert")).to_contain_text("at most six decimals")
    expect(second.get_by_label("Amount")).to_be_focused()
    assert fits(page)
    second.get_by_role("button", name="Remove limit 2").press("Enter")
    expect(dialog.get_by_role("button", name="Add limit")).to_be_focused()
    dialog.get_by_role("button", name="Create plan").click()
    row = page.get_by_role("row").filter(has_text="Tokens")
    expect(row).to_contain_text("6,000 tokens per day, Up to 500 output tokens per request")

    page.goto("/keys/?plan=tokens")
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").fill("metered")
    page.get_by_role("radio", name="Tokens").check()
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="Copy key").wait_for()

    page.goto("/chat/")
    page.get_by_label("Key").select_option("metered")
    expect(page.get_by_text("6,000 tokens left today")).to_be_visible()
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill("Hello.")
    composer.press("Enter")
    expect(page.get_by_text("Answer complete")).to_be_attached(timeout=30_000)
    # The usage that the response reported, no longer the reserved bound.
    expect(page.get_by_text(re.compile(r"^5,[6-9]\d\d tokens left today$"))).to_be_visible()
    assert fits(page)

    # A message that may use more than is left: the notice says by how much.
    composer.fill("x" * 6_000)
    composer.press("Enter")
    notice = page.get_by_role("main").get_by_role("alert")
    expect(notice).to_contain_text("This message does not fit into what is left")
    expect(notice).to_contain_text(re.compile(r"may use up to 7,\d{3} tokens, and 5,\d{3} tok"))
    expect(page.get_by_role("button", name="Send", exact=True)).not_to_have_attribute(
        "aria-disabled", "true"
    )
    assert fits(page)

    page.goto("/keys/")
    card = page.get_by_role("listitem").filter(has_text="metered")
    expect(card).to_contain_text(re.compile(r"\d{2,3} of 6,000 used"))
    page.goto("/usage/")
    page.get_by_label("Show").select_option("Tokens")
    receipts = page.get_by_role("region", name="List of recent requests")
    expect(receipts.get_by_role("row").filter(has_text="metered").last).to_contain_text("tokens")
    assert fits(page)
    assert [fault for fault in visit.take_faults() if "429" not in fault] == []
    listed = operator.http.get("/api/api-keys").json()
    (made,) = (key for key in listed if key["name"] == "metered")
    assert operator.http.delete(f"/api/api-keys/{made['id']}").status_code == 204
    visit.close()
