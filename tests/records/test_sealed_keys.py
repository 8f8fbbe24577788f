"""Encryption of upstream keys at rest."""

import pytest

from daypass.records.sealed_keys import KeySealer, SealBrokenError

KEY = "sk-planted-sealed-0123456789"
WHERE = "ups_1 https://llm.example"


def test_the_newest_secret_seals_and_every_secret_unseals() -> None:
    old, both, new = KeySealer(("old",)), KeySealer(("new", "old")), KeySealer(("new",))
    sealed = old.seal(KEY, WHERE)
    assert KEY not in sealed
    assert both.unseal(sealed, WHERE) == KEY
    assert old.renewed(sealed, WHERE) is None
    renewed = both.renewed(sealed, WHERE)
    assert renewed is not None
    assert new.unseal(renewed, WHERE) == KEY
    assert both.renewed(renewed, WHERE) is None
    for broken in (sealed, "", "AAAA", "not base64", renewed[:-4] + "AAAA"):
        with pytest.raises(SealBrokenError):
            new.unseal(broken, WHERE)


def test_sealing_a_key_twice_gives_different_ciphertexts() -> None:
    sealer = KeySealer(("secret",))
    assert sealer.seal(KEY, WHERE) != sealer.seal(KEY, WHERE)


def test_a_sealed_key_is_bound_to_its_upstream_and_address() -> None:
    """Whoever can change the database could otherwise have the key sent elsewhere."""
    sealer = KeySealer(("secret",))
    for context in ("ups_1 https://evil.example", "ups_2 https://llm.example", ""):
        with pytest.raises(SealBrokenError):
            sealer.unseal(sealer.seal(KEY, WHERE), context)
