from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from daypass.quota.ledger import Ledger
from tests.quota.stores import RedisStore, SqliteStore, Store
from tests.support.redis import Redis, RedisCluster


@pytest.fixture(params=["sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store: Store
    if request.param == "sqlite":
        store = SqliteStore(tmp_path / "daypass.db")
    else:
        server: Redis = request.getfixturevalue("redis_server")
        store = RedisStore(server)
    yield store
    still_open: tuple[Ledger, ...] = tuple(store.ledgers)
    for ledger in still_open:
        await store.close(ledger)


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    return await store.open()


@pytest.fixture(scope="package")
def cluster() -> Iterator[RedisCluster]:
    """A Redis Cluster of three nodes."""
    cluster = RedisCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
