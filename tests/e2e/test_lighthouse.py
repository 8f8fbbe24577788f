"""Lighthouse in the system's Chromium. Speed needs a machine at rest: see `make lighthouse`."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.e2e.browser import FLAGS

LIGHTHOUSE = Path(__file__).parent / "node" / "node_modules" / "lighthouse" / "cli" / "index.js"


def scores(address: str, categories: str, cookie: str = "") -> dict[str, int]:
    """Lighthouse's scores of a page, from 0 to 100, by category."""
    command = [
        "node",
        str(LIGHTHOUSE),
        address,
        "--quiet",
        "--output=json",
        f"--only-categories={categories}",
        f"--chrome-flags=--headless=new {' '.join(FLAGS[:-1])}",
    ]
    if cookie:
        command.append(f"--extra-headers={json.dumps({'Cookie': cookie})}")
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or ""
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | {"CHROME_PATH": chromium},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout)["categories"]
    return {name: round(100 * (category["score"] or 0)) for name, category in found.items()}


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/docs/"])
def test_public_pages_score_95(demo: Server, path: str) -> None:
    found = scores(f"{demo.url}{path}", "accessibility,best-practices,seo")
    assert all(score >= 95 for score in found.values()), found
