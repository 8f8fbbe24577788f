"""A disk that fills up under the embedded ledger: a small tmpfs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daypass.quota.ledger import LedgerUnavailableError
from daypass.quota.sqlite.ledger import SqliteLedger
from tests.quota.stores import admit, claims_of, per_day, used
from tests.support.disk import small_file_system


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    with small_file_system(place, "1m"):
        yield place


async def test_a_full_disk_is_an_error_without_lost_counts(small_disk: Path) -> None:
    ledger = SqliteLedger(small_disk / "daypass.db")
    await ledger.start()
    claims = claims_of(per_day(1000), ceiling=1000)
    await admit(ledger, claims)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 4096)
    counted = 1
    with pytest.raises(LedgerUnavailableError, match="full"):
        for number in range(10_000):
            await admit(ledger, claims_of(per_day(1), account=f"somebody new {number}"))
    filler.unlink()
    await admit(ledger, claims)
    counted += 1
    assert await used(ledger, claims) == [counted, counted]
    await ledger.close()
