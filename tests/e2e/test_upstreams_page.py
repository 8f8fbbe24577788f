"""The operator's upstreams page at each width and in both themes."""

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import Person, Server
from tests.e2e.test_accessibility import violations
from tests.e2e.visit import Visit, fits, models_and, settled
from tests.support.upstream import FakeUpstream

KEY = "sk-planted-key-of-an-upstream-abcd"


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (768, "light"), (1440, "dark")])
def test_an_upstream_is_added_tested_edited_and_deleted(
    browser: Browser,
    operated: tuple[Server, Person],
    upstream: FakeUpstream,
    width: int,
    theme: str,
) -> None:
    upstream.reply = models_and(upstream.reply)
    server, operator = operated
    size = {"width": width, "height": 800}
    visit = Visit(browser, server, size, reduced_motion="reduce", color_scheme=theme)
    visit.sign_in(operator)
    page, name = visit.page, f"Class {width}"
    dialog = page.get_by_role("dialog")
    settled(page, "/operator/upstreams/")
    page.get_by_role("button", name="Add upstream").click()
    provider = dialog.get_by_label("Provider")
    provider.select_option("Azure OpenAI")
    expect(dialog.get_by_label("Address")).to_have_value(
        "https://RESOURCE.openai.azure.com/openai/v1"
    )
    expect(dialog.get_by_label("Key is sent as")).to_have_value("api-key")
    dialog.get_by_role("button", name="Test").click()
    expect(dialog.get_by_text("Replace the part in capitals.")).to_be_visible()
    provider.select_option("Another address")
    dialog.get_by_label("Address").fill(upstream.base_url)
    dialog.get_by_label("API key").fill(KEY)
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_text("Advanced").click()
    dialog.get_by_label("Aliases").fill("small = gpt-4o-mini")
    assert fits(page)
    assert violations(page) == []
    dialog.get_by_role("button", name="Test").click()
    expect(dialog.get_by_text("gpt-4o-mini answered")).to_be_visible()
    dialog.get_by_role("button", name="Add upstream").click()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("…abcd")
    expect(row).to_contain_text("Healthy")
    assert fits(page)

    page.get_by_role("button", name=f"Edit {name}").click()
    expect(dialog.get_by_label("API key")).to_have_value("")
    dialog.get_by_text("Advanced").click()
    expect(dialog.get_by_label("Aliases")).to_have_value("small = gpt-4o-mini")
    dialog.get_by_label("Priority").fill("7")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    (found,) = operator.http.get("/api/operator/upstreams").json()["upstreams"]
    assert (found["priority"], found["has_api_key"]) == (7, True)
    # The stored key still works, and is nowhere on the page.
    page.get_by_role("button", name=f"Test {name}").click()
    dialog.get_by_role("button", name="Test").click()
    expect(dialog.get_by_text("gpt-4o-mini answered")).to_be_visible()
    assert upstream.seen[-1].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in page.content()
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("button", name=f"Delete {name}").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No upstream yet")).to_be_visible()
    assert visit.take_faults() == []
    visit.close()
