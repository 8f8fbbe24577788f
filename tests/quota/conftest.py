from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daypass.quota.ledger import Ledger
from tests.quota.stores import SqliteStore, Store


@pytest.fixture(params=["sqlite"])
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store: Store = SqliteStore(tmp_path / "daypass.db")
    yield store
    for ledger in store.ledgers:
        await ledger.close()


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    return await store.open()
