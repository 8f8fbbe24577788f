"""Claims of idempotency keys, on each database."""

import asyncio

from daypass.records import idempotency
from daypass.records.database import Database

NOW = 1_800_000_000


async def claim(database: Database, name: str, now: int = NOW) -> bool:
    async with database.write() as session:
        return await idempotency.claim(session, "row", "request", name, now) is None


async def keep(database: Database, name: str) -> bool:
    async with database.write() as session:
        return await idempotency.keep(session, "row", name, 201, "answer")


async def test_one_of_several_requests_claims_an_idempotency_key(database: Database) -> None:
    claims = [claim(database, f"claim {number}") for number in range(8)]
    assert sum(await asyncio.gather(*claims)) == 1


async def test_an_expired_idempotency_claim_is_taken_over(
    database: Database,
) -> None:
    assert await claim(database, "first")
    assert not await claim(database, "second", NOW + idempotency.CLAIM_S - 1)
    assert await claim(database, "second", NOW + idempotency.CLAIM_S)
    assert not await keep(database, "first")
    async with database.write() as session:
        await idempotency.release(session, "row", "first")
    assert await keep(database, "second")
    # A response is stored once, and kept longer than a claim.
    assert not await keep(database, "second")
    assert not await claim(database, "third", NOW + idempotency.KEPT_S - 1)


async def test_an_idempotent_response_is_stored_for_a_day(database: Database) -> None:
    await claim(database, "first")
    await keep(database, "first")
    async with database.write() as session:
        await idempotency.release(session, "row", "first")
        await idempotency.delete_old(session, NOW + idempotency.KEPT_S - 1)
        row = await idempotency.claim(session, "row", "request", "again", NOW + 1)
        assert row is not None
        assert (row.status, row.answer) == (201, "answer")
        await idempotency.delete_old(session, NOW + idempotency.KEPT_S)
    assert await claim(database, "later", NOW + 1)
