"""A page in a browser, and everything that went wrong on it."""

import re
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse

from tests.conftest import PASSWORD, Person, Server
from tests.support.upstream import Reply, Seen

PHONE = {"width": 360, "height": 780}
DESKTOP = {"width": 1280, "height": 900}
PUBLIC = (
    "/",
    "/sign-in/",
    "/sign-up/",
    "/forgot-password/",
    "/reset-password/",
    "/setup/",
    "/confirm/",
    "/docs/",
    "/terms/",
    "/nothing-here/",
)
SIGNED_IN = ("/keys/", "/chat/", "/usage/", "/account/")
OPERATOR = tuple(
    f"/operator/{page}"
    for page in (
        "",
        "live/",
        "people/",
        "person/",
        "keys/",
        "plans/",
        "upstreams/",
        "sign-up/",
        "settings/",
        "audit-log/",
        "tokens/",
    )
)
KEY = re.compile(r"^dp_[0-9A-Za-z]{38}$")
# Violations of the content security policy are faults like any other.
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
  console.error(`forbidden by the policy: ${effectiveDirective} ${blockedURI}`));
"""


class Visit:
    """One browser context with one page. Records its faults and every response's address."""

    def __init__(
        self,
        browser: Browser,
        server: Server,
        size: dict[str, int],
        elsewhere: str | None = None,
        **options: Any,
    ) -> None:
        """`elsewhere` is another address that the page may call; `options` are Playwright's."""
        self.context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            **{"base_url": server.url} | options,
        )
        self.context.add_init_script(TELL_VIOLATIONS)
        self.faults: list[str] = []
        self.responses: list[Response] = []
        self._origin: str = options.get("base_url", server.url)
        self._callable = (self._origin, "data:", "blob:", *([elsewhere] if elsewhere else ()))
        self.page = self.open()

    def close(self) -> None:
        """Close every tab. Requests still handled by the test's own routes are abandoned."""
        for page in self.context.pages:
            page.unroute_all(behavior="ignoreErrors")
        self.context.close()

    def open(self) -> Page:
        """Open another tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._on_console)
        page.on("response", self._on_response)
        page.on("request", self._on_request)
        return page

    def sign_in(self, person: Person) -> None:
        """Sign the browser in as this person."""
        cookies = person.http.cookies.items()
        self.context.add_cookies(
            [{"name": name, "value": value, "url": self._origin} for name, value in cookies]
        )

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def _on_response(self, response: Response) -> None:
        self.responses.append(response)
        if response.status >= 400:
            self.faults.append(f"{response.status} {response.url}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(self._callable):
            self.faults.append(f"another origin: {request.url}")

    def take_faults(self) -> list[str]:
        faults, self.faults = self.faults, []
        return faults


def sign_up(page: Page, email: str) -> None:
    """Sign up, from the landing page to the keys page of the new account."""
    page.goto("/")
    page.get_by_role("link", name="Get your key").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(re.compile(r"/(keys|operator)/$"))
    if page.url.endswith("/operator/"):  # The first account of a site on this machine alone.
        page.goto("/keys/")


def settled(page: Page, path: str) -> None:
    """Open the page and wait until it has finished loading."""
    page.goto(path)
    page.get_by_role("heading", level=1).first.wait_for(state="attached")
    expect(page.locator("main .animate-pulse")).to_have_count(0)


def copied(page: Page) -> str:
    """Return the text that the copy button just copied."""
    expect(page.get_by_role("status").filter(has_text="Copied").first).to_be_attached()
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def fits(page: Page) -> bool:
    """Return whether the page fits without horizontal scrolling."""
    fits: bool = page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return fits


def models_and(reply: Reply) -> Reply:
    """Return an upstream that lists one model and otherwise uses this reply."""

    def answer(seen: Seen) -> HttpResponse:
        if seen.target.endswith("/models"):
            return JSONResponse({"object": "list", "data": [{"id": "gpt-4o-mini"}]})
        return reply(seen)

    return answer
