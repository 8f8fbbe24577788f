import pytest

from daypass.domain.network import may_be_upstream


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1", "fd00:ec2::254",
        "fd20:ce::254", "100.100.100.200", "168.63.129.16", "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "metadata",
        "metadata.google.internal", "Metadata.Google.Internal.", "instance-data.ec2.internal",
    ],
)  # fmt: skip
def test_link_local_and_metadata_addresses_are_refused(host: str) -> None:
    assert not may_be_upstream(host, private=True)
    assert not may_be_upstream(host, private=False)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1",
     "0.0.0.0", "::ffff:10.0.0.1"],
)  # fmt: skip
def test_private_addresses_are_allowed_by_a_setting(host: str) -> None:
    assert may_be_upstream(host, private=True)
    assert not may_be_upstream(host, private=False)


@pytest.mark.parametrize(
    "host", ["1.1.1.1", "2606:4700::1111", "api.openai.com", "ollama", "localhost"]
)
def test_public_addresses_and_names_are_allowed(host: str) -> None:
    assert may_be_upstream(host, private=False)
