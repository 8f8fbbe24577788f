"""The site with API Gateway as the enforcer, in a real browser."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import PASSWORD, Server
from tests.e2e.visit import DESKTOP, KEY, Visit


@pytest.fixture
def page(browser: Browser, behind_aws: Server) -> Iterator[Page]:
    visit = Visit(
        browser,
        behind_aws,
        DESKTOP,
        elsewhere=behind_aws.gateway_root,
        permissions=["clipboard-read", "clipboard-write"],
    )
    yield visit.page
    visit.close()
    # Refuse the last call of the day, and a key that is activating.
    assert [x for x in visit.take_faults() if "429" not in x and "403" not in x] == []


def shoot(page: Page, name: str) -> None:
    """Save a screenshot if a directory for them is configured."""
    if directory := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


def test_sign_up_create_a_key_and_chat_behind_api_gateway(page: Page, behind_aws: Server) -> None:
    stage = f"{behind_aws.gateway_root}/v1"
    page.goto("/")
    expect(
        page.get_by_text("AWS counts on a best-effort basis. Limits reset at 00:00 UTC.")
    ).to_be_visible()
    expect(page.get_by_text("Every call with a key counts.")).to_be_visible()
    for promise in ("enforces their limits exactly", "ready immediately"):
        expect(page.get_by_text(promise).filter(visible=True)).to_have_count(0)
    expect(page.get_by_text("AWS API Gateway enforces their limits")).to_be_visible()
    expect(page.get_by_text("Your key is ready within seconds")).to_be_visible()
    shoot(page, "aws-landing")
    page.goto("/docs/")
    expect(page.get_by_text("which is ignored here")).to_be_visible()
    for promise in ("(OpenAI clients do this)", "is not counted", "are given back"):
        expect(page.get_by_text(promise).filter(visible=True)).to_have_count(0)
    shoot(page, "aws-docs")
    page.goto("/sign-up/")
    page.get_by_label("E-mail address").fill("browser@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/keys/")
    page.get_by_role("radio", name="10 requests per day").check()
    page.get_by_role("button", name="Create key").click()
    shown = page.get_by_text(KEY)
    expect(shown).to_be_visible(timeout=15_000)
    secret = shown.inner_text()
    expect(page.get_by_role("tabpanel", name="curl")).to_contain_text(stage)
    page.get_by_role("tab", name="Python").click()
    expect(page.get_by_role("tabpanel", name="Python")).to_contain_text("default_headers")
    expect(page.get_by_text("Activating")).to_have_count(0, timeout=30_000)
    page.get_by_role("button", name="Copy key").click()
    page.get_by_role("button", name="Send a test request").click()
    expect(page.get_by_text("This is Daypass's demo model").first).to_be_visible(timeout=15_000)
    expect(page.get_by_role("meter").first).to_have_attribute("aria-valuenow", "1", timeout=15_000)
    shoot(page, "aws-key")
    page.get_by_role("button", name="Done").click()

    page.get_by_role("link", name="Chat", exact=True).first.click()
    # No part of the key stays in the page after that, so the chat asks for it.
    page.get_by_label(re.compile("Key “")).fill(secret)
    page.get_by_role("button", name="Use this key").click()
    composer = page.get_by_role("textbox", name="Message")
    composer.fill("What is a lighthouse?")
    with page.expect_request(f"{stage}/chat/completions") as asked:
        composer.press("Enter")
    assert asked.value.header_value("x-api-key") == secret
    answer = page.get_by_role("article", name="Assistant")
    expect(answer).to_contain_text("restart Daypass", timeout=30_000)
    shoot(page, "aws-chat")
    assert secret not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")

    # The reloaded page no longer has the key: it asks for it, and accepts no other.
    page.reload()
    field = page.get_by_label(re.compile("Key “"))
    field.fill("dp_wrong")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_text("This is a different key")).to_be_visible()
    shoot(page, "aws-present-key")
    field.fill(secret)
    page.get_by_role("button", name="Use this key").click()
    api = behind_aws.gateway(secret)
    while api.post("/v1/embeddings", json={"input": "x"}).status_code == 200:
        pass
    composer = page.get_by_role("textbox", name="Message")
    composer.fill("One more?")
    composer.press("Enter")
    expect(page.get_by_text("This key's allowance is used up")).to_be_visible()
    expect(page.get_by_text("10 of 10 requests per day used.")).to_be_visible()
    shoot(page, "aws-limit")


def test_a_larger_plan_is_announced_for_midnight(page: Page, behind_aws: Server) -> None:
    person = behind_aws.sign_up()
    person.create_key(name="laptop")
    for name, value in person.http.cookies.items():
        page.context.add_cookies([{"name": name, "value": value, "url": behind_aws.url}])
    page.goto("/keys/")
    page.get_by_role("button", name="Edit laptop").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A larger plan takes effect at 00:00 UTC")
    dialog.get_by_label("Plan").select_option("20 requests per day")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("From 00:00 UTC: 20 requests per day")).to_be_visible()
    shoot(page, "aws-keys")
    page.get_by_role("button", name="Rotate laptop").click()
    expect(page.get_by_role("dialog")).to_contain_text("The old key stops working immediately.")
