"""The site's development server with a Daypass behind it, as web/README.md describes it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import PASSWORD, StartServer
from tests.support.ports import free_port
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(start: StartServer) -> Iterator[str]:
    port = free_port()
    url = f"http://localhost:{port}"
    server = start(DAYPASS_CORS_ORIGINS=url)
    process = subprocess.Popen(
        [sys.executable, "hatch_build.py", "npm", "run", "dev", "--", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"DAYPASS_BACKEND": server.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: _answers(f"{url}/sign-up/"), within_s=60)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=60).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.soak
def test_sign_up_and_chat_work_in_the_development_server(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}/sign-up/")
    page.locator("input[type=email]").fill("ann@example.org")
    page.locator("input[type=password]").first.fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Create key").click(timeout=60_000)
    expect(page.get_by_text("dp_").first).to_be_visible(timeout=60_000)
