"""The time limit of one decision, shared by all its store calls."""

import asyncio
from typing import TypeVar

from daypass.quota.ledger import DECISION_S, LedgerUnavailableError

T = TypeVar("T")

AFTER_SETTLING_S = 0.5
"""Seconds left for the decision once all usage records have been written."""


class Deadline:
    """A deadline DECISION_S from now. Only a wait for usage records extends it."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = asyncio.get_running_loop().time() + DECISION_S
        """In the event loop's time."""

    @property
    def is_over(self) -> bool:
        """Return whether the deadline has passed."""
        return asyncio.get_running_loop().time() >= self.at

    def settle_until(self, instant: float) -> None:
        """Extend the deadline to `instant` (event loop's time) plus AFTER_SETTLING_S."""
        self.at = max(self.at, instant + AFTER_SETTLING_S)

    async def wait_for(self, shared: "asyncio.Task[T]", its: "Deadline") -> T:
        """Wait for a shared task that has its own deadline (`its`).

        If that task's deadline is extended for the usage records, extend this one as well.
        Raises LedgerUnavailableError when the deadline passes.
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
