"""How the gateway reads API keys. Each docstring names an incident in another gateway."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx

from daypass.domain import key_format
from tests.conftest import Server, StartServer
from tests.support.upstream import FakeUpstream

CARRIERS: list[Callable[[str], dict[str, str]]] = [
    lambda key: {"x-api-key": key},
    lambda key: {"authorization": f"Bearer {key}"},
]


def test_keys_with_a_common_prefix_are_distinct(relaying: Server, upstream: FakeUpstream) -> None:
    """LiteLLM CVE-2026-35030: keys were cached by their first 20 characters."""
    person = relaying.sign_up()
    first, second = person.create_key(name="first"), person.create_key(name="second")
    body = first["key"][len(key_format.PREFIX) : -key_format.CHECKSUM_LENGTH]
    alike = body[:-1] + ("a" if body[-1] != "a" else "b")
    twin = key_format.PREFIX + alike + key_format.checksum(alike)
    with relaying.client() as http:
        for _ in range(2):
            assert http.get("/v1/key", headers={"x-api-key": first["key"]}).status_code == 200
            assert http.get("/v1/key", headers={"x-api-key": twin}).status_code == 401
        with sqlite3.connect(relaying.data_dir / "daypass.db") as connection:
            connection.execute(
                "UPDATE api_key_secret SET digest = ? WHERE api_key_id = ?",
                (key_format.digest(twin), second["id"]),
            )
        for _ in range(2):
            for secret, key_id in ((twin, second["id"]), (first["key"], first["id"])):
                assert http.get("/v1/key", headers={"x-api-key": secret}).json()["id"] == key_id


def test_every_key_header_gets_the_same_checks(
    start: StartServer, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """Open WebUI CVE-2026-45339: `x-api-key` skipped checks that Bearer had."""
    config = tmp_path / "daypass.toml"
    config.write_text(
        'denied_paths = ["files"]\n[[plans]]\nid = "small"\nname = "Small"\n'
        'requests_per_day = 2\nmodels = ["small"]\n'
    )
    server = start(DAYPASS_CONFIG=str(config), DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    server.sign_up()
    person = server.sign_up()
    key = person.create_key("small")["key"]
    http = server.client()

    def tried(path: str, model: str) -> list[int]:
        return [
            http.post(path, json={"model": model}, headers=carrier(key)).status_code
            for carrier in CARRIERS
        ]

    assert tried("/v1/embeddings", "large") == [404, 404]
    assert tried("/v1/files", "small") == [404, 404]
    assert tried("/v1/embeddings", "small") == [200, 200]
    assert tried("/v1/embeddings", "small") == [429, 429]
    assert len(upstream.seen) == 2
    (created,) = person.keys()
    person.http.delete(f"/api/api-keys/{created['id']}")
    assert tried("/v1/embeddings", "small") == [401, 401]


def test_a_list_of_keys_in_one_header_is_refused(relaying: Server, upstream: FakeUpstream) -> None:
    """Two parsers of a repeated header took different values for the key."""
    person = relaying.sign_up()
    first, second = (person.create_key(name=name)["key"] for name in ("first", "second"))
    with httpx.Client(base_url=relaying.url) as http:
        for value in (f"{first}, {second}", f"{first},", f"{first} {second}", f"Bearer {first}"):
            refused = http.get("/v1/key", headers={"x-api-key": value})
            assert refused.status_code == 401
            assert first not in refused.text
