"""The client's address, read from the forwarding headers of trusted proxies."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from starlette.requests import HTTPConnection

from daypass.config.sign_in import Network

Address = IPv4Address | IPv6Address

FORWARDING = ("forwarded", "x-forwarded-for", "x-real-ip")


class Caller(NamedTuple):
    """The client that sent a request."""

    network: str
    """The unit of throttling: an IPv4 address, or the /64 network of an IPv6 address, since a
    household or machine can use any address in its /64 (RFC 6177)."""
    is_local: bool
    """Whether the client is on this machine and no proxy on it forwards for another client."""
    scheme: str
    """`http` or `https`, as used between the client and the first proxy."""
    address: str
    """The full address, for the log."""


def caller_of(request: HTTPConnection, trusted: Sequence[Network]) -> Caller:
    """Return the client that sent a request."""
    peer = request.client.host if request.client else ""
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in request.scope["headers"]
    ]
    return read_caller(peer, request.url.scheme, headers, trusted)


def read_caller(
    peer: str, scheme: str, headers: Iterable[tuple[str, str]], trusted: Sequence[Network]
) -> Caller:
    """Return the client, given the peer's address and the headers (names in lower case).

    Headers count only if the peer is a trusted proxy. Each proxy appends the address that it saw,
    so the right-most untrusted hop is the client: a trusted proxy reported it, and the client may
    have forged everything to its left. If `X-Forwarded-For` and `Forwarded` (RFC 7239) disagree,
    both are ignored. A hop that is not an address ends the chain, and the last known proxy is
    taken as the client.
    """
    lines: dict[str, list[str]] = {}
    for name, value in headers:
        lines.setdefault(name, []).append(value)
    near = _address(peer)
    if near is None:
        return Caller(peer or "unknown", False, scheme, peer or "unknown")
    is_local = near.is_loopback and not any(name in lines for name in FORWARDING)
    if not _is_trusted(near, trusted):
        return Caller(_network(near), is_local, scheme, str(near))
    far = near
    for hop in reversed(_chain(lines)):
        address = _address(hop)
        if address is None:
            break
        far = address
        if not _is_trusted(address, trusted):
            break
    protocol = (_last(lines.get("x-forwarded-proto", [])) or "").lower()
    spoken = protocol if protocol in ("http", "https") else scheme
    return Caller(_network(far), is_local, spoken, str(far))


def _chain(lines: dict[str, list[str]]) -> list[str]:
    """Return the hops in the forwarding headers, nearest last; empty if the headers disagree."""
    found = [
        _split(lines.get("x-forwarded-for", [])),
        [_for_of(element) for element in _split(lines.get("forwarded", []))],
    ]
    parsed = [[_address(hop) for hop in chain] for chain in found if chain]
    if any(chain != parsed[0] for chain in parsed):
        return []
    return found[0] or found[1]


def _split(values: list[str]) -> list[str]:
    return [part.strip() for part in ",".join(values).split(",") if part.strip()]


def _last(values: list[str]) -> str | None:
    parts = _split(values)
    return parts[-1] if parts else None


def _for_of(element: str) -> str:
    """Return the `for` parameter of a `Forwarded` element, or an empty string."""
    for pair in element.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.lower() == "for":
            return value.strip().strip('"')
    return ""


def _address(hop: str) -> Address | None:
    """Parse an address, with or without brackets and port. Return None if it is invalid."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        address = ip_address(hop.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _network(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, 64), strict=False))
