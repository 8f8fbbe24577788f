"""Restoring counters that a store has lost, in whole or in part, from the usage records.

Every process writes its records once a second, after the fact. So before they are read, all
processes must have had time to write.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from daypass.background import end
from daypass.quota.counters import Moment
from daypass.quota.deadline import Deadline
from daypass.quota.ledger import Claim, LedgerUnavailableError

SETTLE_S = 2.5
"""Seconds after a loss until all earlier units have been recorded, and other processes have spent
or returned the site units they leased."""
TAKE_OVER_S = 1.5
"""Seconds after a failover until all units taken on the previous server have been recorded. This
is shorter, because every process has left that server and dropped the units leased from it."""
LOOK_AGAIN_S = 0.05
LOOK_AGAIN_AT_MOST_S = 0.4


class UsageRecords(Protocol):
    """Usage as recorded outside the ledger."""

    async def begin(self, subject: str) -> bool:
        """Record that the counters of an account, or the site, were created.

        Return False if they already had been, by any process. Raises LedgerUnavailableError.
        """

    async def used(self, claims: Sequence[Claim], moment: Moment) -> Sequence[int]:
        """Return an upper bound of the units used in each bucket at a moment.

        Raises LedgerUnavailableError.
        """


@dataclass(frozen=True, slots=True)
class Doubt:
    """The reason to consult the usage records."""

    are_missing: bool
    """The subject has no counters, and the call would create them."""
    reign: int
    """The server's reign (buckets.lua). Answers from an earlier reign are outdated."""
    take_over_s: float
    """Seconds until every process has recorded what it took before this reign."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """Usage restored from the records."""

    text: str = ""
    """In the format of take.lua. Empty while unknown; ask again."""
    units: tuple[int, ...] = ()
    had_begun: bool = False
    """Whether counters that are now missing had been created before."""


class Question:
    """One query of the records, shared by all callers that need the same answer."""

    def __init__(self) -> None:
        self.settles_at = 0.0
        """When every process has written its records (event loop's time)."""
        self.task: asyncio.Task[Recalled]
        self._looked = 0

    async def look(self, deadline: Deadline) -> Recalled:
        """Return the answer, or an empty one so that the caller checks Redis again meanwhile.

        Another process may have restored the counters by then. Raises LedgerUnavailableError, also
        when the deadline passes.
        """
        wait_s = min(LOOK_AGAIN_S * 2**self._looked, LOOK_AGAIN_AT_MOST_S)
        self._looked = min(self._looked + 1, 10)
        done, _ = await asyncio.wait({self.task}, timeout=wait_s)
        if done:
            return self.task.result()
        deadline.settle_until(self.settles_at)
        if deadline.is_over:
            raise LedgerUnavailableError("the usage records could not be read in time")
        return Recalled()


class CounterRecovery:
    """Queries the usage records about lost counters, sharing each query between callers."""

    def __init__(self, records: UsageRecords) -> None:
        self._records = records
        self._asking: dict[tuple[object, ...], Question] = {}

    def ask(self, subject: str, claims: Sequence[Claim], moment: Moment, doubt: Doubt) -> Question:
        """Return the query about a subject's buckets, joining one in progress if there is one."""
        what = (*claims, doubt.are_missing, doubt.reign, doubt.take_over_s > 0)
        question = self._asking.get(what)
        if question is None:
            question = self._asking[what] = Question()
            work = self._ask(question, subject, claims, moment, doubt)
            question.task = asyncio.create_task(work)
            question.task.add_done_callback(lambda done: self._discard(what, done))
        return question

    async def close(self) -> None:
        """Cancel all queries."""
        await end(question.task for question in self._asking.values())

    async def _ask(
        self,
        question: Question,
        subject: str,
        claims: Sequence[Claim],
        moment: Moment,
        doubt: Doubt,
    ) -> Recalled:
        had_begun = doubt.are_missing and not await self._records.begin(subject)
        wait_s = max(SETTLE_S if had_begun else 0, doubt.take_over_s)
        if wait_s > 0:
            question.settles_at = asyncio.get_running_loop().time() + wait_s
            await asyncio.sleep(wait_s)
        units = tuple(await self._records.used(claims, moment))
        text = " ".join(map(str, (doubt.reign, moment.us, int(had_begun), *units)))
        return Recalled(text, units, had_begun)

    def _discard(self, what: tuple[object, ...], done: "asyncio.Task[Recalled]") -> None:
        del self._asking[what]
        if not done.cancelled():
            done.exception()  # Mark as retrieved; the waiting callers have seen it.
