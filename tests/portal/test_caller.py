"""The client address behind proxies."""

from ipaddress import ip_network

import pytest

from daypass.portal.client_address import read_caller

TRUSTED = tuple(ip_network(x) for x in ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8"))

Headers = list[tuple[str, str]]


def network(peer: str, headers: Headers) -> str:
    return read_caller(peer, "http", headers, TRUSTED).network


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        # The headers of an untrusted peer are ignored.
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        # The rightmost untrusted hop; anything to its left may be forged.
        ("127.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "1.2.3.4, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("127.0.0.1", "127.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "10.9.9.9, 10.1.2.3", "10.9.9.9"),
        # An invalid address ends the search.
        ("127.0.0.1", "203.0.113.7, unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.7, <script>, 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "1.2.3.4\x00, 999.1.1.1", "127.0.0.1"),
        ("127.0.0.1", "," * 5000 + "203.0.113.7", "203.0.113.7"),
        # Ports, brackets, zones, IPv4 inside IPv6.
        ("127.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("127.0.0.1", "[2001:db8:1:2:3::9]:443", "2001:db8:1:2::/64"),
        ("127.0.0.1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("127.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("fd00::1", "203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "203.0.113.7", "fe80::/64"),
        ("", "203.0.113.7", "unknown"),
    ],
)
def test_the_rightmost_untrusted_hop_is_the_client(
    peer: str, forwarded_for: str, expected: str
) -> None:
    assert network(peer, [("x-forwarded-for", forwarded_for)]) == expected


def test_repeated_forwarding_headers_are_joined() -> None:
    headers = [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-for", "1.2.3.4")]
    assert network("127.0.0.1", headers) == "1.2.3.4"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ('For="[2001:db8:1:2::9]:443";proto=https;by=10.0.0.1', "2001:db8:1:2::/64"),
        ("for=1.2.3.4, for=203.0.113.7;proto=http", "203.0.113.7"),
        ("for=1.2.3.4, for=_hidden", "127.0.0.1"),
        ("for=1.2.3.4, proto=https", "127.0.0.1"),
        ('for="', "127.0.0.1"),
    ],
)
def test_the_forwarded_header_is_read_too(forwarded: str, expected: str) -> None:
    assert network("127.0.0.1", [("forwarded", forwarded)]) == expected


def test_conflicting_forwarding_headers_are_ignored() -> None:
    one, other = ("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=1.2.3.4")
    assert network("127.0.0.1", [one, other]) == "127.0.0.1"
    assert network("127.0.0.1", [one, ("forwarded", "for=203.0.113.7")]) == "203.0.113.7"


@pytest.mark.parametrize(
    ("peer", "proto", "expected"),
    [
        ("127.0.0.1", "https", "https"),
        ("127.0.0.1", "https, http", "http"),
        ("127.0.0.1", "HTTPS", "https"),
        ("127.0.0.1", "javascript", "http"),
        ("203.0.113.7", "https", "http"),
    ],
)
def test_the_scheme_is_taken_from_the_trusted_proxy(peer: str, proto: str, expected: str) -> None:
    assert read_caller(peer, "http", [("x-forwarded-proto", proto)], TRUSTED).scheme == expected


def test_only_a_direct_connection_counts_as_local() -> None:
    assert read_caller("127.0.0.1", "http", [], ()).is_local
    assert read_caller("::1", "http", [], ()).is_local
    assert read_caller("127.0.0.1", "http", [], TRUSTED).is_local
    contradicting = [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=127.0.0.1")]
    for trusted in ((), TRUSTED):
        for header in ("x-forwarded-for", "forwarded", "x-real-ip"):
            for value in ("127.0.0.1", "unknown", ""):
                assert not read_caller("127.0.0.1", "http", [(header, value)], trusted).is_local
        assert not read_caller("127.0.0.1", "http", contradicting, trusted).is_local
    assert not read_caller("203.0.113.7", "http", [], ()).is_local
