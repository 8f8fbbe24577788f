"""Debian's Chromium, driven by Playwright."""

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from tests.support import programs

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Not a loopback name: for features that browsers allow only on secure origins.
    "--host-resolver-rules=MAP daypass.test 127.0.0.1",
]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Return a headless browser. Raises ProgramMissingError if none is installed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.chromium(), args=FLAGS)
        yield browser
        browser.close()
