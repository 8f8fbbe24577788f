"""Makes a picture of every page: `python -m tests.e2e.screenshots docs/screenshots`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.conftest import PASSWORD, Server, start_server
from tests.e2e.browser import chromium

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 780}


def main(directory: Path) -> None:
    """Walk through the site and take a picture at each stop."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        server = start_server(
            Path(state), DAYPASS_SIGN_UP="invite", DAYPASS_SITE_REQUESTS_PER_DAY="500"
        )
        try:
            photograph(server, directory)
        finally:
            server.stop()


def photograph(server: Server, directory: Path) -> None:
    """Take the pictures of one server."""

    def shoot(page: Page, name: str) -> None:
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(300)
        page.screenshot(path=directory / f"{name}.png")
        print(f"  {name}.png", flush=True)

    with chromium() as browser:
        context = browser.new_context(
            base_url=server.url,
            viewport={"width": DESKTOP["width"], "height": DESKTOP["height"]},
            permissions=["clipboard-write"],
        )
        page = context.new_page()
        for name, path in (("landing", "/"), ("sign-in", "/sign-in/"), ("docs", "/docs/")):
            page.goto(path)
            shoot(page, name)
        page.goto("/sign-up/")
        page.get_by_label("E-mail address").fill("ada@example.org")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        shoot(page, "sign-up")
        page.get_by_role("button", name="Create account").click()
        page.get_by_role("button", name="Create key").wait_for()
        shoot(page, "plan-choice")
        page.get_by_label("Name").fill("laptop")
        page.get_by_role("button", name="Create key").click()
        page.get_by_role("button", name="Copy key").click()
        page.get_by_role("button", name="Send a test request").click()
        expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "1")
        shoot(page, "key")
        page.get_by_role("button", name="Done").click()
        shoot(page, "keys")

        page.goto("/chat/")
        composer = page.get_by_role("textbox", name="Message")
        composer.fill("How does Daypass count my requests?")
        composer.press("Enter")
        expect(page.get_by_text("Answer complete")).to_be_attached(timeout=30_000)
        shoot(page, "chat")
        for left in range(7, -1, -1):
            composer.fill("And now?")
            composer.press("Enter")
            page.get_by_role("button", name="Stop").click()
            page.get_by_text(f"{left} left today").wait_for()
        composer.fill("One more question, please.")
        composer.press("Enter")
        page.get_by_text("allowance is used up").wait_for()
        shoot(page, "limit")
        page.goto("/usage/")
        page.get_by_text("10 of 10 used").wait_for()
        shoot(page, "usage")

        page.goto("/account/")
        page.get_by_role("button", name="Delete account").wait_for()
        shoot(page, "account")
        page.goto("/operator/plans/")
        page.get_by_role("button", name="New plan").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("Workshop")
        dialog.get_by_label("Id").fill("workshop")
        dialog.get_by_label("Per day").fill("100")
        shoot(page, "operator-plan")
        dialog.get_by_role("button", name="Create plan").click()
        page.get_by_role("button", name="Retire Workshop").wait_for()
        shoot(page, "operator-plans")
        page.goto("/operator/sign-up/")
        page.get_by_label("For whom").fill("Grace")
        page.get_by_role("button", name="Create link").click()
        page.get_by_role("button", name="Withdraw Grace").wait_for()
        shoot(page, "operator-sign-up")
        for name in ("people", "keys", "audit-log"):
            page.goto(f"/operator/{name}/")
            page.get_by_role("table").wait_for()
            shoot(page, f"operator-{name}")
        page.goto("/operator/")
        page.get_by_role("table").wait_for()
        shoot(page, "operator")

        page.emulate_media(color_scheme="dark")
        shoot(page, "usage-dark")
        page.goto("/keys/")
        page.get_by_role("meter").wait_for()
        shoot(page, "keys-dark")
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        for name, path in (("keys", "/keys/"), ("chat", "/chat/"), ("usage", "/usage/")):
            page.goto(path)
            page.wait_for_load_state("networkidle")
            shoot(page, f"{name}-phone")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
