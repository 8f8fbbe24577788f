"""The content security policy in a browser: injected code is blocked, the site's own is not."""

import orjson
from playwright.sync_api import Browser, Route, expect
from starlette.responses import Response

from tests.conftest import Person, Server
from tests.e2e.visit import DESKTOP, KEY, OPERATOR, PUBLIC, SIGNED_IN, Visit, models_and, settled
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until

INJECTED = """
<p id="styled" style="visibility: hidden">There</p>
<style>#styled { display: none }</style>
<script>window.ran = "an inline script"</script>
<script src="{elsewhere}/script.js"></script>
<img src="/nothing.png" onerror="window.ran = 'a handler'">
<img src="{elsewhere}/pixel.png">
<iframe src="{elsewhere}/frame"></iframe>
<object data="{elsewhere}/object"></object>
<link rel="stylesheet" href="{elsewhere}/style.css">
<a href="javascript:window.ran = 'a link'">Link</a>
<form action="{elsewhere}/form"><button>Send it</button></form>
"""
FORBIDDEN = (
    "script-src-elem",
    "script-src-attr",
    "style-src-elem",
    "style-src-attr",
    "img-src",
    "frame-src",
    "object-src",
    "form-action",
    "connect-src",
)

HOSTILE = "\n\n".join(
    (
        "<script>window.ran = 1</script>",
        '<img src="x" onerror="window.ran = 1">',
        "<svg onload='window.ran = 1'><a href='javascript:window.ran = 1'>x</a></svg>",
        "<iframe srcdoc='<script>top.ran = 1</script>'></iframe>",
        "[script](javascript:window.ran=1) [entity](java&#115;cript:window.ran=1)",
        "[data](data:text/html,<script>window.ran=1</script>) <javascript:window.ran=1>",
        "[no scheme](//evil.example/) [path](/api/session) [ftp](ftp://evil.example/)",
        "![remote picture](http://evil.example/p.png) ![](https://evil.example/q.png)",
        "![data picture](data:image/svg+xml,<svg/onload=window.ran=1>)",
        "[by name]\n\n[by name]: javascript:window.ran=1",
        "[good](https://example.org/a) www.example.org",
    )
)


def test_pages_do_not_violate_their_content_security_policy(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    server, operator = operated
    visit = Visit(browser, server, DESKTOP, reduced_motion="reduce", color_scheme="dark")
    visit.sign_in(operator)
    page = visit.page
    for path in (*PUBLIC, *SIGNED_IN, *OPERATOR):
        settled(page, path)
        page.emulate_media(color_scheme="light")
        page.emulate_media(color_scheme="dark")
    settled(page, "/keys/")
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").fill("=1+1")
    page.get_by_role("button", name="Create key").click()
    secret = page.get_by_text(KEY).inner_text()
    page.get_by_role("button", name="Copy key").click()
    page.get_by_role("button", name="Verify key").click()
    expect(page.get_by_text("The key works")).to_be_visible()
    page.get_by_role("button", name="Send a test request").click()
    # Its markdown is rendered as in the chat.
    expect(page.locator("strong", has_text="This is Daypass's demo model.")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Delete =1+1").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Chat", exact=True).click()
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill("What is a lighthouse?")
    composer.press("Enter")
    expect(page.get_by_role("button", name="Copy code")).to_be_visible()
    settled(page, "/usage/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert ",'=1+1," in download.value.path().read_text()
    visit.context.clear_cookies()
    page.evaluate("localStorage.clear()")
    for path in PUBLIC:
        settled(page, path)
    assert [x for x in visit.take_faults() if "404" not in x] == []
    visit.close()
    listed = operator.keys()
    for key in listed:
        if secret.endswith(key["last4"]):
            operator.http.delete(f"/api/api-keys/{key['id']}")


def test_injected_code_does_not_run(browser: Browser, demo: Server, upstream: FakeUpstream) -> None:
    visit = Visit(browser, demo, DESKTOP)
    page = visit.page
    elsewhere = upstream.base_url
    injected = INJECTED.replace("{elsewhere}", elsewhere)

    def inject(route: Route) -> None:
        answer = route.fetch()
        headers = {k: v for k, v in answer.headers.items() if k != "content-encoding"}
        body = answer.text().replace("</main>", f"{injected}</main>")
        route.fulfill(status=200, headers=headers, body=body)

    page.route("**/nothing-here/", inject)
    page.add_init_script(
        "window.forbidden = []; addEventListener('securitypolicyviolation',"
        " ({ effectiveDirective }) => forbidden.push(effectiveDirective))"
    )
    page.goto("/nothing-here/")
    page.evaluate("address => fetch(address).catch(() => 0)", f"{elsewhere}/fetched")
    # Once more through the DOM, as an attacker would, after React has rendered the page.
    page.get_by_role("link", name="Sign in").wait_for()
    page.evaluate(
        "html => document.body.append(document.createRange().createContextualFragment(html))",
        injected,
    )
    expect(page.locator("#styled").last).to_be_visible()
    page.get_by_role("link", name="Link").last.click()
    page.get_by_role("button", name="Send it").last.evaluate("button => button.click()")
    until(lambda: set(FORBIDDEN) <= set(page.evaluate("forbidden")))
    page.wait_for_timeout(300)
    assert page.url == f"{demo.url}/nothing-here/"
    assert page.evaluate("window.ran") is None
    assert upstream.seen == []
    visit.close()


def test_model_output_renders_as_text_and_http_links(
    visit: Visit, person: Person, upstream: FakeUpstream
) -> None:
    delta = {"choices": [{"index": 0, "delta": {"content": HOSTILE}, "finish_reason": "stop"}]}
    stream = b"data: " + orjson.dumps(delta) + b"\n\ndata: [DONE]\n\n"
    upstream.reply = models_and(lambda _seen: Response(stream, media_type="text/event-stream"))
    person.create_key()
    page = visit.page
    page.goto("/chat/")
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill("attack me")
    composer.press("Enter")
    answer = page.get_by_role("article", name="Assistant")
    expect(answer).to_contain_text("<script>window.ran = 1</script>")
    expect(page.get_by_text("Answer complete")).to_be_attached()
    expect(answer.get_by_role("link").first).to_be_visible()  # Plain text until then.
    assert answer.locator("img, script, iframe, object, [onload], [onerror], [style]").count() == 0
    links = answer.locator("a").evaluate_all("all => all.map(({ href, rel }) => [href, rel])")
    assert [href for href, _ in links] == [
        "http://evil.example/p.png",
        "https://evil.example/q.png",
        "https://example.org/a",
        "http://www.example.org/",
    ]
    assert all({"noopener", "noreferrer"} <= set(rel.split()) for _, rel in links)
    assert page.evaluate("window.ran") is None
    assert visit.take_faults() == []
