"""Shared code of the portal's tests."""

import sqlite3
from uuid import uuid4

import httpx2 as httpx
import pytest

from tests.conftest import PASSWORD, Person, Server

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


def problem_status(response: httpx.Response) -> int:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code


def invited(site: Server, operator: Person) -> Person:
    token = operator.http.post("/api/operator/invitations", json={}).json()["token"]
    http = site.client()
    email = f"{uuid4().hex}@example.org"
    body = {"email": email, "password": PASSWORD, "invitation": token}
    assert http.post("/api/accounts", json=body).status_code == 201
    return Person(http, email)


def contents(site: Server) -> dict[str, int]:
    """Return the number of rows of each table."""
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names
            # Written for any request, even a refused one, or in the background.
            if not name.startswith(("usage_", "quota_", "receipt_", "attempts"))
        }
