"""What the records know of counters that Redis has lost."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from daypass.plans import Window
from daypass.quota.counters import SECOND, Moment, reaches_back_to
from daypass.quota.ledger import Claim, LedgerUnavailableError, Subject
from daypass.records import begun_counters, usage
from daypass.records.database import Database, DatabaseUnavailableError

log = structlog.get_logger()


class RecordedUse:
    """The usage table, as a ledger asks for it.

    The table knows days, and no longer the slots of keys that were deleted. What it cannot tell
    apart counts in full: a bucket begins too empty rather than too full.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """`clock` gives Unix time in seconds."""
        self._database = database
        self._clock = clock

    async def begin(self, subject: str) -> bool:
        """Note that counters begin. False: they had, and were lost; that is logged."""
        async with _as_ledger(), self._database.write() as session:
            is_new = await begun_counters.begin(session, subject, int(self._clock()))
        if not is_new:
            log.warning("counters_lost", subject=subject, then="rebuilt from the usage records")
        return is_new

    async def used(self, claims: Sequence[Claim], moment: Moment) -> list[int]:
        """Requests that each bucket has served since the day to which it reaches back."""
        days = [Window.DAY.start(reaches_back_to(x.limit, moment) // SECOND) for x in claims]
        async with _as_ledger(), self._database.read() as session:
            account = next((x.subject.account for x in claims if x.subject.account), None)
            rows = await usage.by_slot(session, account, min(days)) if account else []
            return [
                sum(count for day, slot, count in rows if day >= since and _is_of(subject, slot))
                if subject.account
                else await usage.site_requests_since(session, since)
                for subject, since in zip((x.subject for x in claims), days, strict=True)
            ]


def _is_of(subject: Subject, slot: int | None) -> bool:
    return subject.kind == "account" or slot is None or slot == subject.slot


@asynccontextmanager
async def _as_ledger() -> AsyncIterator[None]:
    try:
        yield
    except DatabaseUnavailableError as error:
        message = f"Redis has lost counters, which cannot be rebuilt now: {error}"
        raise LedgerUnavailableError(message) from error
