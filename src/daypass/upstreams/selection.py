"""The choice of the upstream."""

from daypass.config.settings import Settings
from daypass.upstreams.base import Timeouts, Upstream
from daypass.upstreams.demo import DemoUpstream
from daypass.upstreams.http import HttpUpstream


def open_upstream(settings: Settings) -> Upstream:
    """Return the configured upstream, or the demo model. Needs a running event loop."""
    if settings.uses_demo_model:
        return DemoUpstream()
    key = settings.upstream_api_key
    return HttpUpstream(
        settings.upstream_base_url,
        key.get_secret_value() if key else None,
        Timeouts(
            connect_s=settings.connect_timeout_s,
            first_byte_s=settings.first_byte_timeout_s or settings.read_timeout_s,
            gap_s=settings.read_timeout_s,
            call_s=settings.call_timeout_s,
        ),
        may_be_private=settings.upstream_private_addresses == "allow",
    )
