"""The short form of `python -m tests.fuzz`."""

import pytest

from tests.fuzz.properties import PROPERTIES, every_split, run

CASES = 300


@pytest.mark.parametrize("name", PROPERTIES)
def test_property_holds(name: str) -> None:
    assert run(PROPERTIES[name], CASES) > CASES / 2


def test_a_stream_split_at_any_byte_is_relayed_unchanged() -> None:
    assert every_split() > 10_000
