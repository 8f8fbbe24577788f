"""When a sign-up with the demo model counts as local."""

from typing import Any

import pytest
from starlette.requests import Request

from daypass.config.settings import Settings
from daypass.portal.first_operator import is_for_this_machine_alone

HERE = ("127.0.0.1", 8000)
ALONE = Settings()


def request(
    *headers: tuple[str, str],
    host: str = "127.0.0.1:8000",
    client: tuple[str, int] | None = ("127.0.0.1", 40_000),
    server: tuple[str, int] | None = HERE,
    version: str = "1.1",
) -> Request:
    """Return a request as the server passes it on; by default from a browser on this machine."""
    lines = [("host", host), ("origin", "http://127.0.0.1:8000"), *headers]
    scope = {
        "type": "http",
        "http_version": version,
        "headers": [(name.encode(), value.encode()) for name, value in lines],
        "client": client,
        "server": server,
    }
    return Request(scope)


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"host": "localhost:8000"},
        {"host": "LOCALHOST"},
        {"host": "[::1]:8000", "client": ("::1", 1), "server": ("::1", 8000)},
        {"client": ("::ffff:127.0.0.1", 1), "server": ("::ffff:127.0.0.1", 8000)},
    ],
)
def test_a_local_browser_may_create_the_operator(found: dict[str, Any]) -> None:
    assert is_for_this_machine_alone(request(**found), ALONE)


@pytest.mark.parametrize(
    "found",
    [
        {"host": "keys.example.org"},
        {"host": "localhost.example.org"},
        {"host": "127.0.0.1.example.org"},
        {"host": "127.0.0.1@example.org"},
        {"host": "example.org@127.0.0.1"},
        {"host": "localhost:8000, example.org"},
        {"host": ""},
        {"client": ("192.0.2.1", 1)},
        {"client": ("::ffff:192.0.2.1", 1)},
        {"client": None},
        {"server": ("192.0.2.1", 8000)},
        {"server": None},
        {"version": "1.0"},
    ],
)
def test_requests_from_elsewhere_may_not_create_the_operator(found: dict[str, Any]) -> None:
    assert not is_for_this_machine_alone(request(**found), ALONE)


def test_requests_with_two_hosts_may_not_create_the_operator() -> None:
    assert not is_for_this_machine_alone(request(("host", "127.0.0.1:8000")), ALONE)


@pytest.mark.parametrize(
    "name",
    [
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-server",
        "x-original-forwarded-for",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "cdn-loop",
        "x-envoy-external-address",
        "x-amzn-trace-id",
        "proxy-connection",
    ],
)
def test_requests_with_proxy_headers_may_not_create_the_operator(name: str) -> None:
    assert not is_for_this_machine_alone(request((name, "127.0.0.1")), ALONE)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(public_url="http://127.0.0.1:8000"),
        Settings(trusted_proxies="127.0.0.1"),  # type: ignore[arg-type]
        Settings(cors_origins="http://127.0.0.1:3000"),  # type: ignore[arg-type]
    ],
)
def test_public_sites_do_not_let_a_browser_create_the_operator(settings: Settings) -> None:
    assert not is_for_this_machine_alone(request(), settings)
