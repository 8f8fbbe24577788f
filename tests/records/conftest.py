from collections.abc import AsyncIterator

import pytest

from daypass.records.database import Database
from daypass.records.schema import upgrade


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database of each kind, with its tables."""
    await upgrade(database_url)
    database = Database(database_url)
    yield database
    await database.close()
