"""A page in a browser, and everything that went wrong on it."""

from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from tests.conftest import PASSWORD, Person, Server

PHONE = {"width": 360, "height": 780}
DESKTOP = {"width": 1280, "height": 900}


class Visit:
    """One browser context with one page. Remembers its faults and every answer's address."""

    def __init__(
        self, browser: Browser, server: Server, size: dict[str, int], **options: Any
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            **{"base_url": server.url} | options,
        )
        self.faults: list[str] = []
        self.responses: list[Response] = []
        self._origin: str = options.get("base_url", server.url)
        self.page = self.open()

    def open(self) -> Page:
        """One more tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._on_console)
        page.on("response", self._on_response)
        page.on("request", self._on_request)
        return page

    def sign_in(self, person: Person) -> None:
        """Let the browser be this person's."""
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
        if not request.url.startswith((self._origin, "data:", "blob:")):
            self.faults.append(f"another origin: {request.url}")

    def take_faults(self) -> list[str]:
        faults, self.faults = self.faults, []
        return faults


def sign_up(page: Page, email: str) -> None:
    """From the landing page to the keys page of a new account."""
    page.goto("/")
    page.get_by_role("link", name="Get your key").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/keys/")


def fits(page: Page) -> bool:
    """Whether the page can be read without scrolling sideways."""
    fits: bool = page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return fits
