"""Which middleware the application may use."""

from pathlib import Path

import daypass


def test_no_middleware_hides_a_client_disconnect() -> None:
    """Starlette's BaseHTTPMiddleware hides a client disconnect from the application."""
    sources = list(Path(daypass.__file__).parent.rglob("*.py"))
    assert not [path for path in sources if "BaseHTTPMiddleware" in path.read_text()]
    assert not [path for path in sources if '.middleware("http")' in path.read_text()]
