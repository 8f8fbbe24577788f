"""What the site shows and does when the server refuses a request."""

import json
import re

from playwright.sync_api import Browser, Page, Route, expect
from starlette.responses import JSONResponse, Response

from tests.conftest import Person, Server
from tests.e2e.visit import DESKTOP, Visit, models_and
from tests.support.upstream import FakeUpstream

UNAVAILABLE = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "Daypass cannot reach its database right now.",
    "errors": [],
}


def test_sending_is_enabled_again_only_when_the_server_confirms(
    visit: Visit, relaying: Server, person: Person
) -> None:
    key = person.create_key()["key"]
    with relaying.gateway(key) as api:
        for _ in range(10):
            assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    page = visit.page
    confirmed = False

    def a_day_later(route: Route) -> None:
        answer = route.fetch()
        body = answer.text()
        if confirmed:
            body = body.replace('"used":10', '"used":0').replace('"remaining":0', '"remaining":10')
        route.fulfill(response=answer, body=body)

    page.route("**/api/usage/today", a_day_later)
    page.clock.install()
    page.goto("/chat/")
    send = page.get_by_role("button", name="Send")
    expect(send).to_have_attribute("aria-disabled", "true")
    banner = page.get_by_role("alert").filter(has_text="10 requests per day")
    expect(banner).to_contain_text("10 by key laptop")
    expect(page.get_by_role("link", name="See usage")).to_be_visible()
    expect(page.get_by_role("link", name="Change plan")).to_be_visible()
    # The day is over by this computer's clock, but not by the server's.
    page.clock.fast_forward("25:00:00")
    expect(page.get_by_text("checking with the server")).to_be_visible()
    expect(send).to_have_attribute("aria-disabled", "true")
    confirmed = True
    page.clock.run_for(4_000)
    expect(send).not_to_have_attribute("aria-disabled", "true")
    expect(banner).to_have_count(0)


def test_a_refusal_is_shown_in_full_before_usage_loads(
    visit: Visit, relaying: Server, person: Person
) -> None:
    api = relaying.gateway(person.create_key()["key"])

    def use(times: int) -> None:
        for _ in range(times):
            assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200

    use(1)
    page = visit.page
    page.goto("/chat/")
    expect(page.get_by_text("9 left today")).to_be_visible()
    use(9)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/usage/today", hold)
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill("one more")
    composer.press("Enter")
    banner = page.get_by_role("alert").filter(has_text="10 of 10 requests per day used")
    expect(banner).to_be_visible()
    expect(page.get_by_text("0 left today", exact=True)).to_be_visible()
    expect(banner).not_to_contain_text("by key")
    expect(page.get_by_role("button", name="Send")).to_have_attribute("aria-disabled", "true")
    for route in held:
        route.continue_()
    expect(banner).to_contain_text("10 by key laptop")
    assert [x for x in visit.take_faults() if "429" not in x] == []


def test_each_failure_has_its_own_message_and_a_retry(
    visit: Visit, person: Person, upstream: FakeUpstream
) -> None:
    person.create_key()
    page = visit.page
    page.goto("/chat/")
    composer = page.get_by_role("textbox", name="Message", exact=True)
    error = {"error": {"message": "busy", "type": "server_error", "code": None, "param": None}}
    well = upstream.reply
    upstream.reply = models_and(lambda _seen: JSONResponse(error, 503))
    composer.fill(" a draft\n ")
    composer.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="was not counted")).to_be_visible()
    expect(composer).to_have_value(" a draft\n ")
    upstream.reply = well
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_role("article", name="Assistant")).to_contain_text("Hello.")
    expect(page.get_by_text("9 left today")).to_be_visible()

    page.route("**/api/chat/completions", lambda route: route.abort())
    composer.fill("offline?")
    composer.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="No connection")).to_be_visible()
    page.unroute("**/api/chat/completions")
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_role("article", name="Assistant")).to_have_count(2)
    expect(page.get_by_text("8 left today")).to_be_visible()

    half = b'data: {"choices": [{"index": 0, "delta": {"content": "Half"}}]}\n\n'
    upstream.reply = models_and(lambda _seen: Response(half, media_type="text/event-stream"))
    composer.fill("break")
    composer.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="was interrupted")).to_be_visible()
    upstream.reply = well
    page.get_by_role("button", name="Ask again", exact=True).click()
    expect(page.get_by_role("article", name="Assistant").last).to_contain_text("Hello.")


def test_a_throttled_message_names_the_throttle(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    server, operator = operated
    plan = {"id": "one-a-minute", "name": "One a minute", "requests_per_minute": 1, "burst": 1}
    created = operator.http.post("/api/operator/usage-plans", json=plan)
    assert created.status_code == 201, created.text
    key = operator.create_key("one-a-minute", "hasty")
    visit = Visit(browser, server, DESKTOP, reduced_motion="reduce")
    visit.sign_in(operator)
    page = visit.page
    page.goto("/chat/")
    page.get_by_label("Key").select_option("hasty")
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill("one")
    composer.press("Enter")
    # If it were stopped before that, the request might not be counted.
    expect(page.get_by_role("article", name="Assistant")).to_contain_text("Daypass")
    page.get_by_role("button", name="Stop").click()
    composer.fill("two at once")
    composer.press("Enter")
    notice = page.get_by_role("main").get_by_role("alert")
    expect(notice).to_contain_text("Too many requests")
    expect(notice).to_contain_text("This one was not counted")
    expect(page.get_by_text(re.compile(r"You can send again in \d+ s"))).to_be_visible()
    expect(composer).to_have_value("two at once")
    expect(page.get_by_role("button", name="Send", exact=True)).not_to_have_attribute(
        "aria-disabled", "true"
    )
    for other in ("allowance is used up", "could not answer"):
        expect(page.get_by_text(other)).to_have_count(0)
    assert operator.http.delete(f"/api/api-keys/{key['id']}").status_code == 204
    visit.close()


def test_a_refused_change_is_reverted_on_the_page(visit: Visit, person: Person) -> None:
    person.create_key()
    page = visit.page
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method in ("PATCH", "DELETE"):
            held.append(route)
        else:
            route.continue_()

    def refuse(page: Page) -> None:
        while not held:
            page.wait_for_timeout(10)
        held.pop().fulfill(
            status=503, content_type="application/problem+json", body=json.dumps(UNAVAILABLE)
        )

    page.route("**/api/api-keys/*", hold)
    page.goto("/keys/")
    page.get_by_role("button", name="Edit laptop").click()
    # The list is not reloaded either, so the page must still have its contents.
    page.route("**/api/api-keys", lambda route: route.abort())
    page.get_by_label("Name").fill("desk")
    page.get_by_label("Plan").select_option("20 requests per day")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("heading", name="desk")).to_be_visible()
    refuse(page)
    expect(page.get_by_text("“laptop” was not changed. Daypass cannot reach")).to_be_visible()
    expect(page.get_by_role("heading", name="laptop")).to_be_visible()
    expect(page.get_by_text("0 of 10 used")).to_be_visible()
    expect(page.get_by_role("heading", name="desk")).to_have_count(0)

    page.get_by_role("button", name="Delete laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("heading", name="laptop")).to_have_count(0)
    refuse(page)
    expect(page.get_by_text("“laptop” was not changed.")).to_have_count(2)
    expect(page.get_by_role("heading", name="laptop")).to_be_visible()
    (kept,) = person.keys()
    assert kept["name"] == "laptop"
