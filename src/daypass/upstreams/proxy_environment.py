"""A check for proxy variables in the environment: the gateway uses no proxy for its upstream."""

from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from daypass.config.settings import Settings, SettingsError
from daypass.domain.network import is_loopback


def check_proxies(settings: Settings) -> None:
    """Raise SettingsError if the environment configures a proxy for the upstream.

    `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, in either case, are not supported. Ignoring them
    silently could cause timeouts, or let traffic bypass a proxy that should inspect it.
    """
    if settings.uses_demo_model:
        return
    address = urlsplit(settings.upstream_base_url)
    host = address.hostname or ""
    proxies = getproxies_environment()
    scheme = next((x for x in (address.scheme, "all") if proxies.get(x)), None)
    if scheme is None or is_loopback(host):
        return
    if proxy_bypass(host):
        return
    variable = f"{scheme.upper()}_PROXY"
    raise SettingsError(
        f"{variable}: Daypass calls its upstream without a proxy. Add {host} to NO_PROXY if it can "
        f"be reached directly, or unset {variable}"
    )
