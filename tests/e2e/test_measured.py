"""Measurable promises of the site: clicks, counts, times, secrets, keyboard use."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Page, Route, expect
from starlette.responses import Response, StreamingResponse

from tests.conftest import PASSWORD, Person, Server
from tests.e2e.visit import DESKTOP, KEY, Visit, copied, models_and
from tests.support.upstream import FakeUpstream, Seen

NODE = Path(__file__).parent / "node"
COUNT_CLICKS = """
sessionStorage.clicks ??= "0";
addEventListener("click", (event) => {
  if (event.isTrusted) sessionStorage.clicks = String(Number(sessionStorage.clicks) + 1);
}, true);
"""


def clicks(page: Page) -> int:
    return int(page.evaluate("sessionStorage.clicks"))


def chat_stream(words: int, size: int = 1) -> Response:
    async def events() -> Any:
        for number in range(0, words, size):
            text = " ".join(f"word{x}" for x in range(number, number + size))
            delta = {"content": f"{text}{chr(10) * 2 if number % 60 == 0 else ' '}"}
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            yield b"data: " + orjson.dumps({"id": "1", "choices": [choice]}) + b"\n\n"
            await asyncio.sleep(0.002)
        yield b"data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def endless(_seen: Seen) -> Response:
    return chat_stream(100_000)


def test_four_clicks_lead_from_the_landing_page_to_a_200(visit: Visit) -> None:
    page = visit.page
    page.add_init_script(COUNT_CLICKS)
    page.goto("/")
    page.get_by_role("link", name="Get your key").click()
    page.get_by_label("E-mail address").fill("clicks@example.org")
    page.get_by_label("E-mail address").press("Tab")
    page.keyboard.type(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    first = page.get_by_role("radio").first
    expect(first).to_be_checked()
    expect(page.get_by_label("Name")).not_to_have_value("")
    signed_in = clicks(page)
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text(KEY)).to_be_visible()
    assert clicks(page) - signed_in == 1
    page.get_by_role("button", name="Send a test request").click()
    expect(page.get_by_text("9 requests left today").first).to_be_visible()
    assert clicks(page) - signed_in == 2
    assert clicks(page) == 4
    page.get_by_role("button", name="Copy", exact=True).first.click()
    command = copied(page)
    assert command.startswith("curl ")
    assert page.get_by_text(KEY).inner_text() in command


def test_copied_commands_run_unchanged(visit: Visit, person: Person, tmp_path: Path) -> None:
    page = visit.page
    page.goto("/keys/")
    page.get_by_role("button", name="Create key").click()
    secret = page.get_by_text(KEY).inner_text()

    def code_of(tab: str) -> str:
        page.get_by_role("tab", name=tab).click()
        panel = page.get_by_role("tabpanel")
        if tab != "Environment":
            assert secret not in panel.inner_text()
        panel.get_by_role("button", name="Copy").click()
        return copied(page)

    def run(program: list[str], code: str, **environment: str) -> str:
        ended = subprocess.run(
            program,
            input=code,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=NODE,
            env={"PATH": os.environ["PATH"]} | environment,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    node = ["node", "--input-type=module"]
    assert "Hello." in run(["bash"], code_of("curl"))
    assert "Hello." in run([sys.executable], code_of("Python"))
    assert "Hello." in run(node, code_of("Node"))
    exported = code_of("Environment")
    page.get_by_role("switch", name="Include key in command").click()
    environment = dict(re.findall(r"export (\w+)='(.+)'", exported))
    for tab, program in (("curl", ["bash"]), ("Python", [sys.executable]), ("Node", node)):
        code = code_of(tab)
        assert secret not in code
        assert "Hello." in run(program, code, **environment)
    assert person.keys()[0]["used"] == 6


def test_the_key_is_only_on_the_page(visit: Visit, person: Person) -> None:
    page = visit.page
    page.goto("/keys/")
    with page.expect_response(lambda x: x.request.method == "POST") as created:
        page.get_by_role("button", name="Create key").click()
    assert created.value.headers["cache-control"] == "no-store"
    secret = page.get_by_text(KEY).inner_text()
    page.get_by_role("button", name="Send a test request").click()
    expect(page.get_by_text("9 requests left today").first).to_be_visible()
    kept = page.evaluate(
        "(async () => JSON.stringify([localStorage, sessionStorage, location.href, history.state,"
        " await indexedDB.databases(), await caches.keys()]))()"
    )
    assert secret not in kept
    visit.responses.clear()
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_text(KEY)).to_be_visible()
    page.get_by_role("button", name="Copy key").click()
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_role("heading", name="Usage")).to_be_visible()
    page.get_by_role("link", name="Keys", exact=True).click()
    expect(page.get_by_role("meter").first).to_be_visible()
    expect(page.get_by_text(KEY)).to_have_count(0)
    page.wait_for_load_state("networkidle")
    for response in visit.responses:
        assert secret not in response.url
        if response.status == 200 and "/api/" in response.url:
            assert secret not in response.text()
    assert visit.take_faults() == []


def test_copying_works_on_an_insecure_origin(
    browser: Browser, relaying: Server, upstream: FakeUpstream
) -> None:
    upstream.reply = models_and(upstream.reply)
    address = relaying.url.replace("127.0.0.1", "daypass.test")
    visit = Visit(browser, relaying, DESKTOP, base_url=address)
    page = visit.page
    page.goto("/sign-up/")
    assert page.evaluate("[isSecureContext, navigator.clipboard === undefined]") == [False, True]
    page.get_by_label("E-mail address").fill("plain@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("button", name="Create key").click()
    secret = page.get_by_text(KEY).inner_text()
    page.get_by_role("button", name="Copy key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Edit My first key").click()
    page.get_by_label("Name").fill("")
    page.get_by_label("Name").press("Control+v")
    expect(page.get_by_label("Name")).to_have_value(secret)
    # On such an origin browsers ignore one header, and log that.
    assert [x for x in visit.take_faults() if "Cross-Origin-Opener-Policy" not in x] == []
    visit.close()


def test_headers_meter_and_database_agree_after_every_call_in_two_tabs(
    visit: Visit, relaying: Server, person: Person
) -> None:
    created = person.create_key()
    tabs = [visit.page, visit.open()]
    for tab in tabs:
        tab.goto("/chat/")
        expect(tab.get_by_text("10 left today")).to_be_visible()
    for used in range(1, 7):
        tab = tabs[used % 2]
        composer = tab.get_by_role("textbox", name="Message", exact=True)
        composer.fill("hello")
        with tab.expect_response("**/api/chat/completions") as answered:
            composer.press("Enter")
        left = 10 - used
        assert answered.value.headers["x-ratelimit-remaining-requests"] == str(left)
        expect(tab.get_by_text(f"{left} left today")).to_be_visible()
        assert person.keys()[0]["used"] == used
    tabs[1].goto("/keys/")
    expect(tabs[1].get_by_role("meter")).to_have_attribute("aria-valuenow", "6")
    (row,) = person.http.get("/api/usage").json()
    assert (row["api_key_id"], row["requests"]) == (created["id"], 6)
    assert relaying.gateway(created["key"]).get("/v1/key").json()["limits"][0]["used"] == 6


@pytest.mark.serial
def test_a_long_reply_is_painted_without_blocking_the_page(
    visit: Visit, person: Person, upstream: FakeUpstream
) -> None:
    upstream.reply = models_and(lambda _seen: chat_stream(2000))
    person.create_key()
    page = visit.page
    page.add_init_script(
        """
        window.longTasks = [];
        new PerformanceObserver((list) => {
          for (const { startTime, duration } of list.getEntries())
            longTasks.push([startTime, duration]);
        }).observe({ type: "longtask", buffered: true });
        const fetched = window.fetch;
        window.fetch = async (...request) => {
          const response = await fetched(...request);
          if (!String(request[0]).includes("completions")) return response;
          const [ours, theirs] = response.body.tee();
          ours.getReader().read().then(() => (window.firstByte = performance.now()));
          return new Response(theirs, response);
        };
        window.announced = [];
        addEventListener("DOMContentLoaded", () => new MutationObserver((changes) => {
          for (const { target, addedNodes } of changes) {
            const element = target.nodeType === 1 ? target : target.parentElement;
            const live = element?.closest("[role=status], [role=alert], [aria-live]");
            if (live && live.getAttribute("aria-live") !== "off" && live.textContent)
              announced.push(live.textContent);
            if (!window.firstPaint && element?.closest("article")?.textContent.includes("word0"))
              requestAnimationFrame(() => (window.firstPaint ??= performance.now()));
          }
        }).observe(document.body, { childList: true, characterData: true, subtree: true }));
        """
    )

    def measured() -> tuple[float, float]:
        """Return the milliseconds to the first painted token, and of the longest task."""
        page.goto("/chat/")
        composer = page.get_by_role("textbox", name="Message", exact=True)
        composer.fill("a long one")
        page.evaluate("announced.length = 0; window.began = performance.now()")
        composer.press("Enter")
        expect(page.get_by_text("Answer complete")).to_be_attached(timeout=60_000)
        expect(page.get_by_role("article", name="Assistant")).to_contain_text("word1999")
        assert len(page.evaluate("[...new Set(announced)]")) <= 2
        first_token: float = page.evaluate("firstPaint - firstByte")
        longest: float = page.evaluate(
            "Math.max(0, ...longTasks.filter(([at]) => at > began).map(([, length]) => length))"
        )
        # The next one begins with an empty conversation, like a new tab.
        page.evaluate("sessionStorage.clear()")
        print(f"first token painted after {first_token:.0f} ms; longest task {longest:.0f} ms")
        return first_token, longest

    # Another process may interfere; the page is at fault only if it is slow each time.
    assert any(first <= 100 and longest <= 50 for first, longest in (measured() for _ in range(3)))


def test_the_whole_flow_works_by_keyboard(visit: Visit, upstream: FakeUpstream) -> None:
    page = visit.page

    def tab_to(name: str, role: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.get_by_role(role, name=name).and_(page.locator(":focus"))  # type: ignore[arg-type]
            if focused.count():
                return
        raise AssertionError(f"the keyboard does not reach the {role} {name}")

    page.goto("/")
    tab_to("Get your key", "link")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-up/")
    tab_to("E-mail address", "textbox")
    page.keyboard.type("keyboard@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Create key")).to_be_visible()
    tab_to("10 requests per day", "radio")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="20 requests per day")).to_be_checked()
    tab_to("Create key", "button")
    page.keyboard.press("Enter")
    expect(page.get_by_text(KEY)).to_be_visible()
    tab_to("Copy key", "button")
    page.keyboard.press("Enter")
    tab_to("curl", "tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Python")).to_have_attribute("aria-selected", "true")
    tab_to("Send a test request", "button")
    page.keyboard.press("Enter")
    expect(page.get_by_text("19 requests left today").first).to_be_visible()
    tab_to("Done", "button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="New key")).to_be_focused()
    tab_to("Delete My first key", "button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Delete My first key")).to_be_focused()
    tab_to("Chat", "link")
    page.keyboard.press("Enter")
    page.wait_for_url("**/chat/")
    upstream.reply = models_and(endless)
    tab_to("Message", "textbox")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article", name="Assistant")).to_contain_text("word3")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()


@pytest.mark.parametrize(
    ("zone", "now", "resets_at", "local"),
    [
        # Summer time ends during the first UTC day in Berlin, during the second in New York.
        ("Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-26T00:00:00Z", "01:00 AM"),
        ("America/New_York", "2026-11-01T05:30:00Z", "2026-11-02T00:00:00Z", "07:00 PM"),
        ("Asia/Tokyo", "2026-11-01T05:30:00Z", "2026-11-02T00:00:00Z", "09:00 AM"),
    ],
)
def test_the_reset_time_is_right_in_any_time_zone_and_with_a_wrong_clock(
    browser: Browser, relaying: Server, zone: str, now: str, resets_at: str, local: str
) -> None:
    from datetime import datetime, timedelta
    from email.utils import format_datetime

    person = relaying.sign_up()
    person.create_key()
    server_now = datetime.fromisoformat(now)
    visit = Visit(browser, relaying, DESKTOP, timezone_id=zone, locale="en-US")
    visit.sign_in(person)
    page = visit.page
    page.clock.install(time=server_now + timedelta(minutes=10))

    def as_then(route: Route) -> None:
        answer = route.fetch()
        body: Any = re.sub(r'"resets_at":\s*"[^"]+"', f'"resets_at":"{resets_at}"', answer.text())
        date = format_datetime(server_now, usegmt=True)
        route.fulfill(response=answer, body=body, headers={**answer.headers, "date": date})

    page.route("**/api/**", as_then)
    page.goto("/keys/")
    hours = (datetime.fromisoformat(resets_at) - server_now).total_seconds() // 3600
    shown = page.get_by_text("Resets in").locator("visible=true").first
    expect(shown).to_contain_text(local)
    days, rest = divmod(int(hours), 24)
    expect(shown).to_contain_text(f"{days} d" if days else f"{rest} h 30 min")
    visit.close()


def test_messages_are_edited_and_conversations_stored_and_deleted(
    visit: Visit, person: Person, upstream: FakeUpstream
) -> None:
    person.create_key()
    page = visit.page
    page.goto("/chat/")
    page.get_by_text("Instructions and temperature").click()
    page.get_by_label("Instructions (system prompt)").fill("Be brief.")
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill("first words")
    page.get_by_label("Temperature").fill("2.5")
    composer.press("Enter")
    expect(page.get_by_text("Correct the temperature above before you send.")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
    page.get_by_label("Temperature").fill("0.5")
    composer.press("Enter")
    answer = page.get_by_role("article", name="Assistant")
    expect(answer).to_contain_text("Hello.")
    sent = upstream.seen[-1].json()
    assert sent["temperature"] == 0.5
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    page.get_by_role("button", name="Edit message").click()
    page.get_by_role("textbox", name="Edit your message").fill("second words")
    page.get_by_role("article", name="You").get_by_role("button", name="Send").click()
    expect(page.get_by_role("article", name="You")).to_contain_text("second words")
    expect(page.get_by_text("8 left today")).to_be_visible()
    assert [x["content"] for x in upstream.seen[-1].json()["messages"]] == [
        "Be brief.",
        "second words",
    ]
    page.get_by_role("button", name="New chat").click()
    expect(answer).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("button", name="second words").first.click()
    expect(answer).to_contain_text("Hello.")
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("button", name="Delete “second words”").click()
    expect(page.get_by_text("No conversations yet.")).to_be_visible()
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "second words" not in kept
