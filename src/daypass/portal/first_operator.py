"""How a site without an operator gets one on the site itself.

By a set-up link (`setup.py`); and on a machine of one's own, with the demo model, by signing up
first. Nowhere else does signing up make an operator.
"""

import re
from ipaddress import IPv6Address, ip_address

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.settings import Settings
from daypass.portal.context import Portal
from daypass.records import accounts, operators

_LOOPBACK_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)

_PROXY_HEADER = re.compile(
    r"forwarded|via|x-forward.*|x-original-.*|x-real-ip|x-remote-.*|x-host|x-scheme|x-client-ip"
    r"|x-cluster-client-ip|client-ip|true-client-ip|fastly-client-ip|cf-.*|cdn-loop|ngrok-.*"
    r"|x-(proxy|envoy|azure|amzn|appengine|nginx).*|proxy-.*"
)


def is_for_this_machine_alone(request: Request, settings: Settings) -> bool:
    """Whether a browser on this machine is using the demo model of a site that nobody else sees.

    Both ends of the connection and the Host header have to be loopback (a page elsewhere that
    re-binds its own name to this address is thus refused), and nothing may hint at a proxy on
    this machine: no setting, no header, and no HTTP/1.0, which nginx speaks by default.
    """
    faces_others = settings.public_url or settings.trusted_proxies or settings.cors_origins
    if faces_others or not settings.uses_demo_model or request.scope["http_version"] != "1.1":
        return False
    hosts = request.headers.getlist("host")
    return (
        _is_loopback(request.scope["server"])
        and _is_loopback(request.scope["client"])
        and len(hosts) == 1
        and _LOOPBACK_HOST.fullmatch(hosts[0]) is not None
        and not any(_PROXY_HEADER.fullmatch(name) for name in request.headers)
    )


async def would_be_first(session: AsyncSession, request: Request, portal: Portal) -> bool:
    """Whether signing up by this request would make the first account, as an operator's."""
    return is_for_this_machine_alone(request, portal.settings) and not await accounts.has_any(
        session
    )


async def role_of_new_account(session: AsyncSession, request: Request, portal: Portal) -> str:
    """The role of somebody who signs up, in the transaction that creates the account."""
    if not is_for_this_machine_alone(request, portal.settings):
        return accounts.MEMBER
    await operators.lock(session)
    if await accounts.has_any(session):
        return accounts.MEMBER
    await operators.void_setup_tokens(session)
    return accounts.OPERATOR


def _is_loopback(end: tuple[str, int] | None) -> bool:
    """Whether an end of a connection is on a loopback address. A Unix socket has no address."""
    if end is None:
        return False
    try:
        address = ip_address(end[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
