"""Deletes expired rows in the background."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from daypass.background import end
from daypass.domain.retention import Retention
from daypass.domain.times import DAY_S, Clock
from daypass.records import (
    accounts,
    admin_tokens,
    audit,
    departures,
    idempotency,
    receipts,
    sign_ups,
    throttles,
)
from daypass.records.database import Database, DatabaseUnavailableError

SWEEP_EVERY_S = 60.0


@contextlib.asynccontextmanager
async def sweeping(database: Database, clock: Clock, retention: Retention) -> AsyncIterator[None]:
    """Sweep once a minute, in the background. `clock` gives Unix time in seconds."""
    task = asyncio.create_task(_sweep_every_minute(database, clock, retention))
    try:
        yield
    finally:
        await end([task])


async def sweep(database: Database, now: float, retention: Retention) -> None:
    """Delete what has expired by `now` (Unix time, seconds), each kind in its own transaction.

    Sessions, admin tokens, answers kept for idempotency keys, sign-ups and throttles; receipts and
    audit entries by `retention`; the fingerprints of deleted accounts.
    """
    async with database.write() as session:
        await accounts.delete_expired_sessions(session, int(now))
        await admin_tokens.delete_old(session, int(now))
        await idempotency.delete_old(session, int(now))
        await sign_ups.delete_expired(session, int(now))
        await throttles.delete_whole(session, int(now * 1000))
        await departures.delete_old(session, int(now))
    async with database.write() as session:
        await receipts.delete_older(session, int((now - retention.receipt_days * DAY_S) * 1000))
    async with database.write() as session:
        await audit.delete_older(session, int(now - retention.audit_days * DAY_S))
    await database.empty_log()


async def _sweep_every_minute(database: Database, clock: Clock, retention: Retention) -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        with contextlib.suppress(DatabaseUnavailableError):
            await sweep(database, clock(), retention)
