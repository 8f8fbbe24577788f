"""The short form of `python -m tests.fuzz`."""

import pytest

from tests.fuzz.properties import PROPERTIES, every_split, run

CASES = 300


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_property_holds(name: str) -> None:
    assert run(PROPERTIES[name], CASES) > CASES / 2


def test_a_stream_cut_at_any_byte_passes_unchanged() -> None:
    assert every_split() > 10_000
