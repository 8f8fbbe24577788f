"""A new user's path through the site, in a real browser."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.conftest import PASSWORD, Server, StartServer
from tests.e2e.visit import DESKTOP, KEY, PHONE, Visit, copied, fits, sign_up


@pytest.fixture(params=["desktop", "phone"])
def visit(browser: Browser, demo: Server, request: pytest.FixtureRequest) -> Iterator[Visit]:
    size = PHONE if request.param == "phone" else DESKTOP
    visit = Visit(browser, demo, size, permissions=["clipboard-read", "clipboard-write"])
    yield visit
    visit.close()


def test_sign_up_create_a_key_and_use_the_daily_limit(
    visit: Visit, demo: Server, request: pytest.FixtureRequest
) -> None:
    page = visit.page
    sign_up(page, f"{request.node.callspec.id}@example.org")

    page.get_by_role("radio", name="10 requests per day").check()
    page.get_by_role("button", name="Create key").click()
    shown = page.get_by_text(KEY)
    expect(shown).to_be_visible()
    secret = shown.inner_text()
    page.get_by_role("button", name="Copy key").click()
    assert copied(page) == secret
    for tab in ("Python", "Node", "curl"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel", name=tab)).to_contain_text("/v1")
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, location.href])")
    assert secret not in kept
    assert fits(page)
    page.get_by_role("button", name="Send a test request").click()
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "1", timeout=10_000)

    page.get_by_role("button", name="Done").click()
    expect(shown).to_have_count(0)
    page.get_by_role("link", name="Chat", exact=True).first.click()
    composer = page.get_by_role("textbox", name="Message")
    composer.fill("What is a lighthouse?")
    composer.press("Enter")
    answer = page.get_by_role("article", name="Assistant")
    expect(answer).to_contain_text("demo model")
    early = len(answer.inner_text())
    expect(answer).to_contain_text("restart Daypass", timeout=20_000)
    assert early < len(answer.inner_text())
    expect(page.get_by_text("8 left today")).to_be_visible()
    assert answer.locator("strong").first.inner_text() == "This is Daypass's demo model."
    assert fits(page)
    assert visit.take_faults() == []

    for left in range(7, 0, -1):
        composer.fill("again")
        # If it were stopped before it arrives, it would not count.
        with page.expect_response("**/api/chat/completions"):
            composer.press("Enter")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text(f"{left} left today")).to_be_visible()
    # A program uses the last unit without this page knowing, so the next message gets the 429.
    with demo.gateway(secret) as api:
        assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    draft = "  a draft\n\nof  mine  "
    composer.fill(draft)
    composer.press("Enter")
    notice = page.get_by_role("alert").filter(has_text="10 requests per day")
    expect(notice).to_be_visible()
    expect(page.get_by_text(re.compile(r"UTC\), in \d+ h|UTC.*in \d"))).to_be_visible()
    expect(composer).to_have_value(draft)
    expect(composer).to_be_editable()
    assert fits(page)
    assert [x for x in visit.take_faults() if "429" not in x] == []

    page.get_by_role("link", name="Usage", exact=True).first.click()
    expect(page.get_by_text("10 of 10 used")).to_be_visible()
    expect(page.get_by_text("2 via API, 8 via chat")).to_be_visible()
    expect(page.get_by_text("10 requests served, 1 refused")).to_be_visible()
    expect(
        page.get_by_role("cell", name="Refused: the key's limit per day was reached")
    ).to_have_count(1)
    assert fits(page)
    assert visit.take_faults() == []


def test_a_key_is_renamed_moved_rotated_and_deleted(visit: Visit, demo: Server) -> None:
    person = demo.sign_up()
    person.create_key(name="laptop")
    visit.sign_in(person)
    page = visit.page
    page.goto("/keys/")
    page.get_by_role("button", name="Edit laptop").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name").fill("desk")
    dialog.get_by_label("Plan").select_option("20 requests per day")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="desk")).to_be_visible()
    expect(page.get_by_text("0 of 20 used")).to_be_visible()
    page.get_by_role("button", name="Connect desk").click()
    dialog.get_by_role("button", name="Copy as .env").click()
    assert copied(page) == f"OPENAI_BASE_URL={demo.url}/v1\nOPENAI_API_KEY=dp_your_key\n"
    dialog.get_by_role("tab", name="Python").click()
    expect(dialog.get_by_role("tabpanel")).to_contain_text(f'base_url="{demo.url}/v1"')
    expect(dialog.get_by_role("link", name="API reference")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    nav = page.get_by_role("navigation", name="Main")
    expect(nav.get_by_role("link", name="Docs")).to_be_in_viewport()
    page.get_by_role("button", name="Rotate desk").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    expect(page.get_by_text(KEY)).to_be_visible()
    page.get_by_role("button", name="Copy key").click()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", name="desk")).to_have_count(1)
    page.get_by_role("button", name="Delete desk").click()
    dialog = page.get_by_role("alertdialog").or_(page.get_by_role("dialog"))
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="desk", exact=True)).to_have_count(0)
    expect(page.get_by_text("Key deleted.")).to_be_visible()
    assert person.keys() == []
    assert visit.take_faults() == []


def test_server_errors_are_shown_beside_their_fields(visit: Visit, demo: Server) -> None:
    taken = demo.sign_up().email
    page = visit.page
    page.goto("/sign-up/")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("E-mail address").fill(taken)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("There is already an account with this e-mail address")).to_be_visible()
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(taken)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The e-mail address or the password is wrong")).to_be_visible()


def test_pages_require_a_session_and_return_after_sign_in(visit: Visit, demo: Server) -> None:
    person = demo.sign_up()
    page = visit.page
    page.goto("/usage/")
    page.wait_for_url("**/sign-in/**")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/usage/")
    expect(page.get_by_role("heading", name="Usage")).to_be_visible()


def test_an_unreachable_upstream_is_reported(browser: Browser, start: StartServer) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL="http://127.0.0.1:1/v1")
    person = server.sign_up()
    person.create_key()
    visit = Visit(browser, server, DESKTOP)
    visit.sign_in(person)
    page = visit.page
    page.goto("/chat/")
    composer = page.get_by_role("textbox", name="Message")
    composer.fill("hello?")
    composer.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="not counted")).to_be_visible()
    assert person.keys()[0]["used"] == 0
    visit.close()


def test_late_scripts_hydrate_the_exported_page_without_errors(
    browser: Browser, demo: Server
) -> None:
    visit = Visit(browser, demo, DESKTOP)
    page = visit.page
    at_once: set[str] = set()

    def bring(route: Route) -> None:
        if urlsplit(route.request.url).path not in at_once:
            time.sleep(0.7)
        route.continue_()

    page.route("**/*.js", bring)
    for path in ("/", "/sign-in/", "/sign-up/"):
        html = demo.client().get(path).text
        at_once |= set(re.findall(r'<script[^>]*src="([^"?]+)', html))
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert visit.take_faults() == [], path
    visit.close()
