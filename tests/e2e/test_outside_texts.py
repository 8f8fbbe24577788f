"""External texts that are deeply nested, large, or one unbroken word."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.responses import JSONResponse, StreamingResponse

from tests.conftest import PASSWORD, Person, Server, start_server
from tests.e2e.visit import DESKTOP, OPERATOR, PHONE, Visit, fits, models_and, settled
from tests.support.upstream import FakeUpstream, Reply, completion

WORD = "W" * 60
LONG = "unbroken" * 4_000
MEGABYTE = 1_000_000
DEEP = {
    "quotes": ">" * 3000 + " end of quotes",
    "lists": "- " * 3000 + "end of lists",
    "emphasis": "*a " * 3000 + "end of emphasis",
    "brackets": "[" * 3000 + "end of brackets" + "](b)" * 3000,
    "images": "![" * 3000 + "end of images",
    "html": "<div>" * 3000 + "end of html",
    "table": "|a" * 3000 + "|\n" + "|-" * 3000 + "|\n" + "|end of table|\n" * 9,
    "code": "```\n" + "code\n" * 100_000 + "```",
}

ACTIONS_OUT_OF_SIGHT = """
[...document.querySelectorAll("td:last-child button")].filter((button) => {
  const box = button.getBoundingClientRect();
  const frame = button.closest("[role=region]").getBoundingClientRect();
  return box.left < frame.left || box.right > frame.right;
}).map((button) => button.ariaLabel)"""


def saying(text: str, size: int) -> Reply:
    """Return a reply that streams `text`, `size` characters in each event."""

    def event(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return b"data: " + orjson.dumps({"id": "1", "choices": [choice]}) + b"\n\n"

    async def events() -> Any:
        for start in range(0, len(text), size):
            yield event({"content": text[start : start + size]})
        yield event({}, "stop") + b"data: [DONE]\n\n"

    return models_and(lambda _seen: StreamingResponse(events(), media_type="text/event-stream"))


def ask(page: Page, question: str) -> None:
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill(question)
    composer.press("Enter")


def answers(page: Page) -> Locator:
    return page.get_by_role("article", name="Assistant")


def test_a_deeply_nested_answer_is_shown_as_plain_text_and_can_be_deleted(
    visit: Visit, person: Person, upstream: FakeUpstream
) -> None:
    person.create_key()
    upstream.reply = saying(DEEP["quotes"], 100)
    page = visit.page
    page.goto("/chat/")
    ask(page, "quote")
    expect(page.get_by_text("Answer complete")).to_be_attached()
    # As if the model had sent each of the other answers too.
    page.evaluate(
        """(answers) => {
          const name = Object.keys(localStorage).find((name) => /chat\\..*\\.(?!index)/.test(name));
          const stored = JSON.parse(localStorage[name]);
          stored.messages.push(...answers.map((content) => ({ role: "assistant", content })));
          stored.messages.push({ role: "assistant", content: "**Well** formatted" });
          localStorage[name] = JSON.stringify(stored);
        }""",
        list(DEEP.values())[1:],
    )
    page.reload()
    expect(answers(page)).to_have_count(len(DEEP) + 1)
    # Tags are shown as text at any depth.
    expect(page.get_by_text("Shown as plain text")).to_have_count(len(DEEP) - 1)
    expect(page.locator("strong", has_text="Well")).to_be_visible()
    expect(page.get_by_text("end of quotes")).to_be_attached()
    assert fits(page)

    deletions = page.get_by_role("button", name="Delete message")
    question = page.get_by_role("article", name="You")
    for left in range(len(DEEP) + 1, 0, -1):
        expect(answers(page)).to_have_count(left)
        deletions.last.press("Enter")
        if left > 1:
            expect(page.get_by_role("region", name="Conversation")).to_be_focused()
    expect(question).to_have_count(1)
    page.reload()
    expect(question).to_have_count(1)
    deletions.press("Enter")
    expect(page.get_by_text("What would you like to know?")).to_be_visible()
    assert "quote" not in page.evaluate("JSON.stringify(localStorage)")
    assert visit.take_faults() == []


def test_a_line_of_one_megabyte_is_rendered_in_chunks(
    visit: Visit, person: Person, upstream: FakeUpstream
) -> None:
    person.create_key()
    upstream.reply = saying("m" * MEGABYTE, 1000)
    page = visit.page
    page.goto("/chat/")
    ask(page, "a megabyte")
    # Rendered as one piece, it would take longer than a minute.
    expect(page.get_by_text("Answer complete")).to_be_attached(timeout=20_000)
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    shown = answers(page).inner_text().count("m")
    assert 10_000 < shown < 50_000
    answers(page).get_by_role("button", name="Show more").click()
    expect(answers(page).locator("p", has_text="mmm")).to_have_count(2)
    answers(page).get_by_role("button", name="Copy message").click()
    assert page.evaluate("navigator.clipboard.readText().then((text) => text.length)") == MEGABYTE
    assert fits(page)


@pytest.fixture(scope="module")
def overlong(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Person]]:
    """A server where every name, address and text has its maximum length and no spaces."""
    server = start_server(
        tmp_path_factory.mktemp("overlong"),
        DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url,
        DAYPASS_UPSTREAM_API_KEY="sk-the-operators-own",
        DAYPASS_SIGN_UP="invite",
    )
    http = server.client()
    email = f"{WORD}@{'.'.join([WORD] * 3)}.org"
    new = {"token": server.setup_token(), "email": email, "password": PASSWORD}
    assert http.post("/api/setup", json=new).is_success
    operator = Person(http, email)
    plan: dict[str, Any] = {
        "id": "P" * 64,
        "name": "N" * 80,
        "description": "D" * 500,
        "requests_per_minute": 10**12,
        "requests_per_hour": 10**12,
        "requests_per_day": 10**12,
        "requests_per_week": 10**12,
        "requests_per_month": 10**12,
        "models": ["gpt-4o-mini", "M" * 64],
    }
    assert http.post("/api/operator/usage-plans", json=plan).is_success
    invitation = {"note": "I" * 80, "days": 7}
    assert http.post("/api/operator/invitations", json=invitation).is_success
    key = operator.create_key(plan["id"], "K" * 80)["key"]
    with server.gateway(key) as api:
        body = {"model": "M" * 64, "input": "x"}
        assert api.post("/v1/embeddings", json=body).status_code == 200
    yield server, operator
    server.stop()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_external_texts_do_not_widen_a_page(
    browser: Browser,
    overlong: tuple[Server, Person],
    upstream: FakeUpstream,
    size: dict[str, int],
) -> None:
    server, operator = overlong
    error = {"error": {"message": LONG, "type": "invalid_request_error", "code": None}}
    upstream.reply = models_and(lambda _seen: JSONResponse(error, 400))
    visit = Visit(browser, server, size)
    page = visit.page
    settled(page, "/")
    assert fits(page)
    visit.sign_in(operator)
    own_page = f"/operator/person/?id={operator.http.get('/api/session').json()['id']}"
    for path in ("/usage/", "/account/", *OPERATOR, own_page):
        settled(page, path)
        assert fits(page), path
        assert page.evaluate(ACTIONS_OUT_OF_SIGHT) == [], path
    settled(page, "/keys/")
    assert fits(page)
    for window in ("this hour", "today", "this week", "this month"):
        limit = page.get_by_role("listitem").filter(has_text=f"requests left {window}").last
        expect(limit).to_contain_text("Resets in")
    expect(page.get_by_text("At most 1,000,000,000,000 requests per minute")).to_be_visible()
    for action in ("Connect", "Edit", "Rotate", "Delete"):
        page.get_by_role("button", name=f"{action} K").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert fits(page), action
        assert page.get_by_role("dialog").evaluate("(box) => box.scrollWidth <= box.clientWidth")
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Account", exact=True).click()
    assert fits(page)

    # Error messages: in a chat, in place of a page, and in a toast.
    settled(page, "/chat/")
    ask(page, LONG[:2000])
    expect(page.get_by_role("alert").filter(has_text="unbroken")).to_be_visible()
    assert fits(page)
    alert = page.get_by_role("alert").filter(has_text="unbroken")
    assert len(alert.inner_text()) < 700
    # Beside the message that returned to the composer, which must stay reachable.
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
    problem = {"title": "x", "status": 400, "detail": LONG, "errors": []}
    page.route("**/api/api-keys", lambda route: route.fulfill(status=400, json=problem))
    page.goto("/keys/")
    expect(page.get_by_role("alert").filter(has_text="unbroken")).to_be_visible()
    assert fits(page)
    page.unroute("**/api/api-keys")
    page.route("**/api/api-keys/*", lambda route: route.fulfill(status=409, json=problem))
    settled(page, "/keys/")
    page.get_by_role("button", name="Delete K").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    toast = page.get_by_role("status").filter(has_text="unbroken")
    expect(toast).to_be_visible()
    assert fits(page)
    assert toast.evaluate("(box) => box.getBoundingClientRect().height") < 300
    visit.close()


def test_a_long_answer_to_a_test_request_does_not_widen_the_page(
    visit: Visit, person: Person, upstream: FakeUpstream
) -> None:
    def answer(seen: Any) -> Any:
        body = orjson.loads(completion(seen).body)
        body["choices"][0]["message"]["content"] = LONG
        return JSONResponse(body)

    upstream.reply = models_and(answer)
    page = visit.page
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto("/keys/")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="Send a test request").click()
    expect(page.get_by_text("unbroken").first).to_be_visible()
    assert fits(page)
    assert person.keys()[0]["used"] == 1
