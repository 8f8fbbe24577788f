"""A Daypass server in front of an upstream of the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import Server, start_server
from tests.support.upstream import FakeUpstream


@contextmanager
def relaying_to(
    upstream: FakeUpstream, directory: Path, toml: str = "", **settings: str
) -> Iterator[Server]:
    """Run a server whose `daypass.toml` has this text, and stop it at the end."""
    (directory / "daypass.toml").write_text(toml)
    own = {
        "DAYPASS_UPSTREAM_BASE_URL": upstream.base_url,
        "DAYPASS_UPSTREAM_API_KEY": "sk-the-operators-own",
    }
    server = start_server(directory, **own | settings)
    try:
        yield server
    finally:
        server.stop()
