"""How long one decision may take, over all the questions that it asks."""

import asyncio
from typing import TypeVar

from daypass.quota.ledger import DECISION_S, LedgerUnavailableError

T = TypeVar("T")

AFTER_SETTLING_S = 0.5
"""Seconds that remain for the decision once the usage records have settled."""


class Deadline:
    """DECISION_S from now. Only waiting for the usage records to settle extends it."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = asyncio.get_running_loop().time() + DECISION_S
        """By the event loop's clock."""

    @property
    def is_over(self) -> bool:
        """Whether the decision has taken too long."""
        return asyncio.get_running_loop().time() >= self.at

    def settle_until(self, instant: float) -> None:
        """Allow for a wait until `instant` (event loop's clock), and the decision after it."""
        self.at = max(self.at, instant + AFTER_SETTLING_S)

    async def wait_for(self, shared: "asyncio.Task[T]", its: "Deadline") -> T:
        """Wait for a task that others wait for too, and that has a deadline of its own.

        Where that task has to wait for the records, so does this decision.
        Raises LedgerUnavailableError when the time is over.
        """
        began = its.at
        loop = asyncio.get_running_loop()
        while not shared.done():
            if its.at > began:
                self.at = max(self.at, its.at)
            left = self.at - loop.time()
            if left <= 0:
                raise LedgerUnavailableError("the store did not answer in time")
            await asyncio.wait({shared}, timeout=left)
        return shared.result()
