import re
import string
import zlib

from hypothesis import given
from hypothesis import strategies as st

from daypass import api_keys

BASE62 = string.digits + string.ascii_letters


def test_a_minted_key_has_the_published_shape() -> None:
    minted = api_keys.mint()
    assert re.fullmatch(r"dp_[0-9A-Za-z]{38}", minted.secret)
    assert minted.prefix == minted.secret[:8]
    assert minted.last4 == minted.secret[-4:]
    assert minted.digest == api_keys.digest(minted.secret)
    assert api_keys.is_well_formed(minted.secret)


def test_keys_differ() -> None:
    assert len({api_keys.mint().secret for _ in range(1000)}) == 1000


def test_the_checksum_is_crc32_in_base62() -> None:
    body = "0" * 32
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    number = 0
    for character in api_keys.checksum(body):
        number = number * 62 + alphabet.index(character)
    assert number == zlib.crc32(body.encode())


@given(st.integers(3, api_keys.KEY_LENGTH - 1), st.sampled_from(BASE62))
def test_every_typo_is_refused(position: int, character: str) -> None:
    secret = api_keys.mint().secret
    typo = secret[:position] + character + secret[position + 1 :]
    assert api_keys.is_well_formed(typo) == (typo == secret)


@given(st.text(max_size=60))
def test_noise_is_refused(noise: str) -> None:
    assert not api_keys.is_well_formed(noise)
    assert not api_keys.is_well_formed("dp_" + noise)


def test_digits_of_other_scripts_are_refused() -> None:
    assert not api_keys.is_well_formed("dp_" + "\u0660" * 38)


def test_a_minted_key_does_not_print_its_secret() -> None:
    minted = api_keys.mint()
    assert minted.secret not in repr(minted)
