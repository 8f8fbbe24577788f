import re
import string
import zlib

from hypothesis import given
from hypothesis import strategies as st

from daypass.domain import key_format

BASE62 = string.digits + string.ascii_letters


def test_a_new_key_has_the_documented_format() -> None:
    minted = key_format.mint()
    assert re.fullmatch(r"dp_[0-9A-Za-z]{38}", minted.secret)
    assert minted.prefix == minted.secret[:8]
    assert minted.last4 == minted.secret[-4:]
    assert minted.digest == key_format.digest(minted.secret)
    assert key_format.is_well_formed(minted.secret)


def test_new_keys_are_unique() -> None:
    assert len({key_format.mint().secret for _ in range(1000)}) == 1000


def test_the_key_checksum_is_crc32_in_base62() -> None:
    body = "0" * 32
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    number = 0
    for character in key_format.checksum(body):
        number = number * 62 + alphabet.index(character)
    assert number == zlib.crc32(body.encode())


@given(st.integers(3, key_format.KEY_LENGTH - 1), st.sampled_from(BASE62))
def test_a_key_with_a_changed_character_is_refused(position: int, character: str) -> None:
    secret = key_format.mint().secret
    typo = secret[:position] + character + secret[position + 1 :]
    assert key_format.is_well_formed(typo) == (typo == secret)


@given(st.text(max_size=60))
def test_random_text_is_not_a_valid_key(noise: str) -> None:
    assert not key_format.is_well_formed(noise)
    assert not key_format.is_well_formed("dp_" + noise)


def test_keys_with_non_ascii_digits_are_refused() -> None:
    assert not key_format.is_well_formed("dp_" + "\u0660" * 38)


def test_the_repr_of_a_new_key_hides_its_secret() -> None:
    minted = key_format.mint()
    assert minted.secret not in repr(minted)
