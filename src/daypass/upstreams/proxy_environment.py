"""A check for proxy variables in the environment: the gateway uses no proxy for its upstreams."""

from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from daypass.config.settings import Settings, SettingsError
from daypass.domain.network import is_loopback


def check_proxies(settings: Settings) -> None:
    """Raise SettingsError if the environment configures a proxy for a configured upstream."""
    for upstream in settings.configured_upstreams:
        problem = proxy_problem(upstream.base_url)
        if problem is not None:
            raise SettingsError(problem)


def proxy_problem(base_url: str) -> str | None:
    """Return why an upstream is not called: the environment configures a proxy for it.

    `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, in either case, are not supported. Ignoring them
    silently could cause timeouts, or let traffic bypass a proxy that should inspect it.
    """
    address = urlsplit(base_url)
    host = address.hostname or ""
    proxies = getproxies_environment()
    scheme = next((x for x in (address.scheme, "all") if proxies.get(x)), None)
    if scheme is None or is_loopback(host) or proxy_bypass(host):
        return None
    variable = f"{scheme.upper()}_PROXY"
    return (
        f"{variable}: Daypass calls its upstream without a proxy. Add {host} to NO_PROXY if it can "
        f"be reached directly, or unset {variable}"
    )
