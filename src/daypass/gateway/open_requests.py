"""Limits the concurrent requests per key and per account in this process."""

import math
from typing import Literal

from daypass.domain.times import Clock
from daypass.gateway.errors import TooManyOpenError
from daypass.gateway.principal import Principal


class OpenRequests:
    """Counts open requests, so that one key cannot use up the process's connections."""

    __slots__ = ("_clock", "_open", "_per_account", "_per_key")

    def __init__(self, per_key: int, per_account: int, clock: Clock) -> None:
        """Create a counter with the limits per key and per account; 0 means no limit."""
        self._clock = clock
        self._per_key = per_key or math.inf
        self._per_account = per_account or math.inf
        self._open: dict[str, int] = {}
        """The number of open requests by key id and by account id."""

    def one_of(self, principal: Principal) -> "OpenRequest":
        """Return a context manager for one request. Entering it may raise TooManyOpenError."""
        return OpenRequest(self, principal)

    def enter(self, principal: Principal) -> None:
        """Count a request as open. Raises TooManyOpenError if there are too many."""
        key, account = principal.api_key_id, principal.account_id
        of_key, of_account = self._open.get(key, 0), self._open.get(account, 0)
        if of_key >= self._per_key:
            raise self._too_many("This API key has", of_key, "key")
        if of_account >= self._per_account:
            raise self._too_many("Your account's API keys have", of_account, "account")
        self._open[key] = of_key + 1
        self._open[account] = of_account + 1

    def leave(self, principal: Principal) -> None:
        """Count a request as finished."""
        for name in (principal.api_key_id, principal.account_id):
            left = self._open[name] - 1
            if left:
                self._open[name] = left
            else:
                del self._open[name]

    def _too_many(
        self, who: str, number: int, subject: Literal["key", "account"]
    ) -> TooManyOpenError:
        message = (
            f"{who} {number} requests under way, as many as this site allows at once. "
            "Try again when one of them is answered."
        )
        return TooManyOpenError(message, subject=subject, at=self._clock())


class OpenRequest:
    """A context manager that counts one request as open."""

    __slots__ = ("_all", "_principal")

    def __init__(self, all_open: OpenRequests, principal: Principal) -> None:
        self._all = all_open
        self._principal = principal

    def __enter__(self) -> None:
        self._all.enter(self._principal)

    def __exit__(self, *_: object) -> None:
        self._all.leave(self._principal)
