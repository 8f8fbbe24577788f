"""Limits the concurrent requests of a key over all processes, by its usage plan.

The limit of each process on its own connections is in open_requests.py.
"""

import asyncio

import structlog

from daypass.gateway.errors import too_many_open
from daypass.gateway.principal import Principal
from daypass.quota.ledger import LEASE_S, Lease, Ledger, LedgerUnavailableError

RENEW_EVERY_S = LEASE_S / 3
LOOK_AGAIN_S = 0.1
"""Seconds after which a request that found no room looks once more. A client may send its next
request to another process before that of its last one has freed the lease."""

log = structlog.get_logger()


class HeldLease:
    """A context manager that holds one of a key's concurrent requests, and renews its lease.

    Entering it raises TooManyOpenError if the usage plan's `max_concurrent_requests` are open, and
    LedgerUnavailableError if that is unknown. With `fail_open`, the request is then let through.
    """

    __slots__ = ("_fail_open", "_lease", "_ledger", "_principal", "_timer")

    def __init__(
        self, ledger: Ledger, principal: Principal, request_id: str, *, fail_open: bool
    ) -> None:
        self._ledger = ledger
        self._principal = principal
        self._fail_open = fail_open
        self._lease = Lease(principal.subject, request_id)
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        try:
            await self._acquire()
        except (LedgerUnavailableError, asyncio.CancelledError) as error:
            # The call may have been sent, and may still be carried out.
            self._ledger.release_lease(self._lease)
            if not self._fail_open or not isinstance(error, LedgerUnavailableError):
                raise
            log.warning("concurrency_not_checked", request_id=self._lease.id, reason=str(error))

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._ledger.release_lease(self._lease)

    async def _acquire(self) -> None:
        plan = self._principal.usage_plan
        limit = plan.max_concurrent_requests
        if limit is None:
            return
        found = await self._ledger.acquire_lease(self._lease, limit)
        if not found.is_admitted:
            await asyncio.sleep(LOOK_AGAIN_S)
            found = await self._ledger.acquire_lease(self._lease, limit)
        if not found.is_admitted:
            raise too_many_open(limit, found, plan.id)
        self._renew_later()

    def _renew_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(RENEW_EVERY_S, self._renew)

    def _renew(self) -> None:
        self._ledger.renew_lease(self._lease)
        self._renew_later()
