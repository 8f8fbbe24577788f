"""Rebuilds counters that Redis has lost from the usage records."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from typing import Generic, NamedTuple, TypeVar

from daypass.domain.plans import Amounts, Window
from daypass.domain.times import Clock
from daypass.quota.counters import SECOND, Moment, reaches_back_to
from daypass.quota.ledger import Claim, LedgerUnavailableError, Subject
from daypass.records import begun_counters, usage, usage_writers
from daypass.records.database import Database, DatabaseUnavailableError

BEHIND_MAX_S = 10.0
LOOK_AGAIN_S = 0.2
BATCH = 1000

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")
Rows = list[tuple[int, int | None, Amounts]]
"""Day, slot (None: of a deleted key, or of all) and amounts."""


class Batches(Generic[Question, Answer]):
    """Batches questions to the database: those that arrive during a query share the next one.

    After Redis has lost everything, all clients ask at once.
    """

    def __init__(
        self, ask: Callable[[Collection[Question]], Awaitable[Mapping[Question, Answer]]]
    ) -> None:
        """`ask` answers all of its questions or raises."""
        self._ask = ask
        self._waiting: dict[Question, asyncio.Future[Answer]] = {}
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """Return the answer to a question, read after it was asked."""
        future = self._waiting.get(question)
        if future is None:
            future = self._waiting[question] = asyncio.get_running_loop().create_future()
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await asyncio.shield(future)

    async def _work(self) -> None:
        try:
            while self._waiting:
                asked = list(self._waiting)[:BATCH]
                futures = [self._waiting.pop(question) for question in asked]
                try:
                    answers = await self._ask(asked)
                except Exception as error:  # No error may leave callers waiting.
                    for future in futures:
                        future.set_exception(error)
                        future.exception()  # Mark it as retrieved, in case no caller is left.
                    continue
                for question, future in zip(asked, futures, strict=True):
                    future.set_result(answers[question])
        finally:
            self._worker = None


class Since(NamedTuple):
    """A question: the use of an account's keys (of all keys if empty) since a day."""

    account: str
    day: int


class RecordedUse:
    """The usage table, as the ledger reads it.

    The table knows days, and not the slots of deleted keys. What it cannot tell
    apart counts in full: a bucket starts too empty rather than too full.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """`clock` gives Unix time in seconds."""
        self._database = database
        self._clock = clock
        self._beginning = Batches(self._begin)
        self._reading = Batches(self._read)

    async def begin(self, subject: str) -> bool:
        """Record that counters begin. Return False if they had begun before, in any process."""
        return await self._beginning.ask(subject)

    async def used(self, claims: Sequence[Claim], moment: Moment) -> list[int]:
        """Return what each bucket has used since the day to which it reaches back."""
        days = [Window.DAY.start(reaches_back_to(x.limit, moment) // SECOND) for x in claims]
        subjects = [claim.subject for claim in claims]
        asked = [Since(subject.account, day) for subject, day in zip(subjects, days, strict=True)]
        answers = await asyncio.gather(*map(self._reading.ask, asked))
        return [
            sum(
                amounts[claim.measure]
                for day, slot, amounts in rows
                if day >= since and _is_of(claim.subject, slot)
            )
            for claim, since, rows in zip(claims, days, answers, strict=True)
        ]

    async def _begin(self, subjects: Collection[str]) -> dict[str, bool]:
        async with _as_ledger(), self._database.write() as session:
            new = await begun_counters.begin(session, subjects, int(self._clock()))
        return {subject: subject in new for subject in subjects}

    async def _read(self, asked: Collection[Since]) -> dict[Since, Rows]:
        await self._all_written()
        accounts = {x.account for x in asked if x.account}
        async with _as_ledger(), self._database.read() as session:
            found: dict[str, Rows] = {}
            if accounts:
                found = await usage.by_slot(session, accounts, min(x.day for x in asked))
            return {
                x: found.get(x.account, [])
                if x.account
                else [(x.day, None, await usage.site_since(session, x.day))]
                for x in asked
            }

    async def _all_written(self) -> None:
        """Wait until every process has written its usage up to now.

        Raises LedgerUnavailableError if one stays behind.
        """
        deadline = asyncio.get_running_loop().time() + BEHIND_MAX_S
        began: int | None = None
        while True:
            async with _as_ledger(), self._database.read() as session:
                now, behind_since = await usage_writers.behind_since(session)
            began = began or now
            if behind_since is None or behind_since > began:
                return
            if asyncio.get_running_loop().time() > deadline:
                message = "Redis has lost counters, and usage is still being written"
                raise LedgerUnavailableError(message)
            await asyncio.sleep(LOOK_AGAIN_S)


def _is_of(subject: Subject, slot: int | None) -> bool:
    return subject.kind != "key" or slot is None or slot == subject.slot


@asynccontextmanager
async def _as_ledger() -> AsyncIterator[None]:
    try:
        yield
    except DatabaseUnavailableError as error:
        message = f"Redis has lost counters, which cannot be rebuilt now: {error}"
        raise LedgerUnavailableError(message) from error
