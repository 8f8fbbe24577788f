"""The first operator of a site, with concurrent transactions of several processes."""

import asyncio

from daypass.records import accounts, operators
from daypass.records.database import Database
from daypass.records.schema import upgrade
from tests.support.postgres import Postgres

OVERLAP_S = 0.3
"""How long the second transaction may take to overtake the first one. On a slow machine a fault can
stay unnoticed, but the test does not fail without one."""


async def make_operator(database: Database, email: str) -> bool:
    """Create an operator unless one exists."""
    async with database.write() as session:
        await operators.lock(session)
        if await operators.has_active(session):
            return False
        await accounts.create(session, email, "hash", 1, role=accounts.OPERATOR)
        return True


async def test_concurrent_transactions_create_one_first_operator(postgres_server: Postgres) -> None:
    """PostgreSQL only: in SQLite, write transactions never overlap."""
    url = postgres_server.create_database("test_operators")
    await upgrade(url)
    first, second = Database(url), Database(url)
    try:
        async with first.write() as session:
            await operators.lock(session)
            assert not await operators.has_active(session)
            other = asyncio.create_task(make_operator(second, "eve@example.org"))
            await asyncio.wait([other], timeout=OVERLAP_S)
            await accounts.create(session, "ada@example.org", "hash", 1, role=accounts.OPERATOR)
        assert await other is False
    finally:
        await first.close()
        await second.close()
