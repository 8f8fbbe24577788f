"""Whether the first person to sign up becomes the operator.

This happens only for the demo model on the person's own machine. Everywhere else, a site gets its
first operator through the set-up link (`setup.py`).
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
    """Return whether a local browser is using a site that only this machine can reach.

    Both ends of the connection and the Host header must be loopback, which also defeats DNS
    rebinding. Nothing may hint at a proxy on this machine: no setting, no header, and not
    HTTP/1.0, which nginx uses by default.
    """
    is_public = settings.public_url or settings.trusted_proxies or settings.cors_origins
    if is_public or request.scope["http_version"] != "1.1":
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
    """Return whether signing up with this request would create the first, operator account."""
    return _makes_operator(request, portal) and not await accounts.has_any(session)


async def role_of_new_account(session: AsyncSession, request: Request, portal: Portal) -> str:
    """Return a new account's role. Call it in the transaction that creates the account."""
    if not _makes_operator(request, portal):
        return accounts.MEMBER
    await operators.lock(session)
    if await accounts.has_any(session):
        return accounts.MEMBER
    await operators.void_setup_tokens(session)
    return accounts.OPERATOR


def _makes_operator(request: Request, portal: Portal) -> bool:
    return portal.upstreams.is_demo and is_for_this_machine_alone(request, portal.settings)


def _is_loopback(end: tuple[str, int] | None) -> bool:
    """Return whether a connection's end is a loopback address. Unix sockets have no address."""
    if end is None:
        return False
    try:
        address = ip_address(end[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
