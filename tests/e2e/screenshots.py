"""Take a screenshot of every page: `python -m tests.e2e.screenshots docs/screenshots`."""

import asyncio
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Browser, expect

from daypass.records import usage
from daypass.records.database import Database
from daypass.records.usage import UsageRow, Use
from tests.conftest import PASSWORD, Person, Server, start_server
from tests.e2e.browser import chromium
from tests.e2e.visit import KEY, OPERATOR, PHONE, settled

DAY_S = 86_400
PAST = (3, 5, 8, 0, 0, 6, 9, 10, 7, 4, 0, 0, 2, 10, 10, 8, 6, 1, 0, 5, 9, 7, 8, 10, 3, 0, 4, 9, 6)
"""Requests of past days, the latest first."""


def main(directory: Path) -> None:
    """Walk through the site and take a screenshot at each stop."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state, chromium() as browser:
        server = start_server(Path(state), DAYPASS_SITE_REQUESTS_PER_DAY="500")
        try:
            Walk(browser, server, directory).all()
        finally:
            server.stop()


class Walk:
    """One visit to one server, starting with its first account."""

    def __init__(self, browser: Browser, server: Server, directory: Path) -> None:
        self._server = server
        self._directory = directory
        context = browser.new_context(
            base_url=server.url,
            viewport={"width": 1280, "height": 800},
            permissions=["clipboard-read", "clipboard-write"],
        )
        self._page = context.new_page()

    def all(self) -> None:
        """Take every screenshot."""
        self._entrance()
        secret = self._first_key()
        self._chat(secret)
        self._give_it_a_past()
        for name in ("usage", "account"):
            self._shoot_at(name, f"/{name}/")
        self._operator()
        self._page.emulate_media(color_scheme="dark")
        self._shoot_at("usage-dark", "/usage/")
        self._shoot_at("keys-dark", "/keys/")
        self._page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        for path in ("/keys/", "/chat/", "/usage/", *OPERATOR):
            self._shoot_at(f"{path.strip('/').replace('/', '-')}-phone", path)

    def _shoot(self, name: str) -> None:
        self._page.evaluate("document.fonts.ready")
        self._page.wait_for_timeout(300)
        self._page.screenshot(path=self._directory / f"{name}.png")
        print(f"  {name}.png", flush=True)

    def _shoot_at(self, name: str, path: str) -> None:
        settled(self._page, path)
        if path != "/operator/live/":  # Its stream never ends.
            self._page.wait_for_load_state("networkidle")
        self._shoot(name)

    def _entrance(self) -> None:
        page = self._page
        for name, path in (("landing", "/"), ("sign-in", "/sign-in/"), ("docs", "/docs/")):
            self._shoot_at(name, path)
        page.goto("/sign-up/")
        page.get_by_label("E-mail address").fill("ada@example.org")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        self._shoot("sign-up")
        page.get_by_role("button", name="Create account").click()
        page.get_by_role("button", name="Create key").wait_for()

    def _first_key(self) -> str:
        page = self._page
        self._shoot("plan-choice")
        page.get_by_label("Name").fill("laptop")
        page.get_by_role("button", name="Create key").click()
        page.get_by_role("button", name="Copy key").click()
        self._shoot("key")
        page.get_by_role("button", name="Send a test request").click()
        expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "1")
        page.get_by_text("9 requests left today").first.scroll_into_view_if_needed()
        self._shoot("key-test")
        secret = page.get_by_text(KEY).inner_text()
        page.get_by_role("button", name="Done").click()
        self._shoot("keys")
        return secret

    def _chat(self, secret: str) -> None:
        page = self._page
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto("/chat/")
        composer = page.get_by_role("textbox", name="Message")
        composer.fill("How does Daypass count my requests?")
        composer.press("Enter")
        expect(page.get_by_text("Answer complete")).to_be_attached(timeout=30_000)
        self._shoot("chat")
        page.set_viewport_size({"width": 1280, "height": 800})
        with self._server.gateway(secret) as api:
            for _ in range(8):
                assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
        composer.fill("And how many are left?")
        composer.press("Enter")
        page.get_by_text("allowance is used up").wait_for()
        self._shoot("limit")

    def _give_it_a_past(self) -> None:
        """Add other accounts with keys, and usage on past days."""
        page, server = self._page, self._server
        keys = [key["id"] for key in page.request.get("/api/api-keys").json()]
        for name, plan in (("grace", "20RequestPerDay"), ("edsger", "10RequestPerDay")):
            page.request.post(
                "/api/operator/invitations",
                data={"note": name.capitalize(), "days": 7},
                headers={"origin": server.url},
            )
            http = server.client()
            account = {"email": f"{name}@example.org", "password": PASSWORD}
            assert http.post("/api/accounts", json=account).status_code == 201
            created = Person(http, account["email"]).create_key(plan, "notebook")
            keys.append(created["id"])
            with server.gateway(created["key"]) as api:
                for _ in range(len(name)):
                    api.post("/v1/embeddings", json={"input": "x"})
        today = int(time.time()) // DAY_S * DAY_S
        rows = {
            UsageRow(today - (ago + 1) * DAY_S, key, model, "api"): Use(
                requests=share,
                input_tokens=40 * share,
                output_tokens=210 * share,
                cost=900 * share,
            )
            for ago, requests in enumerate(PAST)
            for key in keys
            for model, share in (
                ("gpt-4o-mini", requests - requests // 3),
                ("gpt-4.1", requests // 3),
            )
            if share
        }

        async def write() -> None:
            database = Database(f"sqlite:///{server.data_dir}/daypass.db")
            async with database.write() as session:
                await usage.add(session, rows)
            await database.close()

        # Playwright runs an event loop in this thread.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, write()).result()

    def _operator(self) -> None:
        page = self._page
        page.goto("/operator/plans/")
        page.get_by_role("button", name="New plan").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("Workshop")
        dialog.get_by_label("ID").fill("workshop")
        dialog.get_by_label("Amount").fill("100")
        self._shoot("operator-plan")
        dialog.get_by_role("button", name="Create plan").click()
        page.get_by_role("button", name="Retire Workshop").wait_for()
        self._shoot("operator-plans")
        for name in ("sign-up", "settings", "people", "keys", "audit-log"):
            self._shoot_at(f"operator-{name}", f"/operator/{name}/")
        self._shoot_at("operator", "/operator/")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
