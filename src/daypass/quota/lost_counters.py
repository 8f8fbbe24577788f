"""Counters that a store has lost begin again with what the records say was used.

The records are written after the fact, by every process once a second. So whoever finds no
counters where the records say that they had begun waits first until everybody has written.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from daypass.quota.counters import Moment
from daypass.quota.ledger import Claim

SETTLE_S = 2.5
"""Seconds after which what was taken before a loss has been written, and the units of the site
that other processes held have been spent or returned."""
LOOK_AGAIN_S = 0.05


class UsageRecords(Protocol):
    """What was used, as it is known apart from the ledger."""

    async def begin(self, subject: str) -> bool:
        """Note that the counters of an account, or the site's, begin.

        False: they had begun before, and have been lost. Raises LedgerUnavailableError.
        """

    async def used(self, claims: Sequence[Claim], moment: Moment) -> Sequence[int]:
        """Units that each bucket may lack at a moment: never too few.

        Raises LedgerUnavailableError.
        """


class Recollection:
    """Asks the records about counters that are not there, once for all who wait for the same."""

    def __init__(self, records: UsageRecords) -> None:
        self._records = records
        self._asking: dict[tuple[object, ...], asyncio.Task[str]] = {}

    async def recall(
        self, subject: str, claims: Sequence[Claim], moment: Moment, *, begins: bool
    ) -> str:
        """What the records say, as take.lua reads it. Empty: not known yet, look again.

        `begins`: there are no counters of the subject at all, and what is to be taken makes
        them. Raises LedgerUnavailableError.
        """
        what = (*claims, begins)
        task = self._asking.get(what)
        if task is None:
            task = self._asking[what] = asyncio.create_task(
                self._ask(subject, claims, moment, begins=begins)
            )
            task.add_done_callback(lambda done: self._forget(what, done))
        # Meanwhile another process may have begun them.
        done, _ = await asyncio.wait({task}, timeout=LOOK_AGAIN_S)
        return task.result() if done else ""

    async def close(self) -> None:
        """Ask no longer."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(
        self, subject: str, claims: Sequence[Claim], moment: Moment, *, begins: bool
    ) -> str:
        was_lost = begins and not await self._records.begin(subject)
        if was_lost:
            await asyncio.sleep(SETTLE_S)
        used = await self._records.used(claims, moment)
        return " ".join(map(str, (moment.us, int(was_lost), *used)))

    def _forget(self, what: tuple[object, ...], done: asyncio.Task[str]) -> None:
        del self._asking[what]
        if not done.cancelled():
            done.exception()  # Whoever waited has seen it.
