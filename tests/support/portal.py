"""What the tests of the portal share."""

import httpx2 as httpx
import pytest

CHAT = {"messages": [{"role": "user", "content": "planted-prompt"}]}

only_embedded = pytest.mark.parametrize("site", ["embedded"], indirect=True)
"""Where the enforcers differ: tests/enforcement/aws/test_enforcement.py has the other half."""


def problem(response: httpx.Response, field: str | None = None) -> int:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["title"]
    assert document["detail"]
    pointers = [x["pointer"] for x in document["errors"]]
    assert pointers == ([f"#/{field}"] if field else [])
    return response.status_code
