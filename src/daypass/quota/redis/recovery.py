"""Counters that a store has lost, in whole or in part, begin again with what the records say.

The records are written after the fact, by every process once a second. So before they are read,
everybody must have had the time to write.
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
"""Seconds after which what was taken before a loss has been written, and the units of the site
that other processes held have been spent or returned."""
TAKE_OVER_S = 1.5
"""Seconds after a server was first met in which what was taken on the one before it is written.
There is less to wait for: every process has left that one, and the site's units with it."""
LOOK_AGAIN_S = 0.05
LOOK_AGAIN_AT_MOST_S = 0.4


class UsageRecords(Protocol):
    """What was used, as it is known apart from the ledger."""

    async def begin(self, subject: str) -> bool:
        """Note that the counters of an account, or the site's, begin.

        False: they had begun before, here or in another process. Raises LedgerUnavailableError.
        """

    async def used(self, claims: Sequence[Claim], moment: Moment) -> Sequence[int]:
        """Units that each bucket may lack at a moment: never too few.

        Raises LedgerUnavailableError.
        """


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the records are asked about counters of a store."""

    are_missing: bool
    """There are no counters of the subject at all, and what is to be taken makes them."""
    reign: int
    """The server's, see buckets.lua. What the records said in an earlier one is not enough."""
    take_over_s: float
    """Seconds until everybody has written what was taken before this reign."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the records say."""

    text: str = ""
    """As take.lua reads it. Empty: not known yet, look again."""
    units: tuple[int, ...] = ()
    had_begun: bool = False
    """Whether somebody had begun counters that are not there."""


class Question:
    """One question to the records, for all who wait for the same."""

    def __init__(self) -> None:
        self.settles_at = 0.0
        """When everybody has written (event loop's clock)."""
        self.task: asyncio.Task[Recalled]
        self._looked = 0

    async def look(self, deadline: Deadline) -> Recalled:
        """What the records say. Nothing yet: another process may have begun the counters.

        Raises LedgerUnavailableError, also when the deadline is over.
        """
        wait_s = min(LOOK_AGAIN_S * 2**self._looked, LOOK_AGAIN_AT_MOST_S)
        self._looked = min(self._looked + 1, 10)
        done, _ = await asyncio.wait({self.task}, timeout=wait_s)
        if done:
            return self.task.result()
        deadline.settle_until(self.settles_at)
        if deadline.is_over:
            raise LedgerUnavailableError("counters could not be compared with the records in time")
        return Recalled()


class CounterRecovery:
    """Asks the records about counters that are not there, once for all who wait for the same."""

    def __init__(self, records: UsageRecords) -> None:
        self._records = records
        self._asking: dict[tuple[object, ...], Question] = {}

    def ask(self, subject: str, claims: Sequence[Claim], moment: Moment, doubt: Doubt) -> Question:
        """The question about a subject's buckets, which others may have asked already."""
        what = (*claims, doubt.are_missing, doubt.reign, doubt.take_over_s > 0)
        question = self._asking.get(what)
        if question is None:
            question = self._asking[what] = Question()
            work = self._ask(question, subject, claims, moment, doubt)
            question.task = asyncio.create_task(work)
            question.task.add_done_callback(lambda done: self._discard(what, done))
        return question

    async def close(self) -> None:
        """Ask no longer."""
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
            done.exception()  # Whoever waited has seen it.
