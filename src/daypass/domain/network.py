"""The addresses that an upstream may have."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

# Metadata services, which give a machine's credentials to any client: link-local addresses, and
# those of AWS and Google over IPv6, of Alibaba and of Azure.
_NEVER = tuple(
    ip_network(x)
    for x in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
        "100.100.100.200/32",
        "168.63.129.16/32",
    )
)
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data.ec2.internal"})
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address.


def may_be_upstream(host: str, *, private: bool) -> bool:
    """Return whether an upstream may have an address. `private` also allows private networks.

    Link-local addresses and metadata services are never allowed. Of host names, only those of
    metadata services are rejected: check the address too once the name is resolved.
    """
    try:
        address = _plain(ip_address(host))
    except ValueError:
        return host.lower().rstrip(".") not in _METADATA_NAMES
    return not any(address in network for network in _NEVER) and (private or address.is_global)


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address embedded in an IPv6 address, if any, or else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return _plain(ip_address(host)).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
