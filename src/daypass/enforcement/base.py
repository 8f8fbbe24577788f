"""The interface of enforcers, as the portal and the command see it.

There are two: Daypass's own gateway (`embedded.py`) and AWS API Gateway (`aws/`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.plans import UsagePlan
from daypass.quota.policy import QuotaPolicy
from daypass.records import api_keys
from daypass.records.api_keys import NO_OPTIONS, KeyOptions
from daypass.records.tables import ApiKey


class EnforcerError(Exception):
    """An operation failed, and nothing has changed.

    The message is for the user. `reason` tells the operator what happened and what to do.
    """

    def __init__(
        self, message: str, *, reason: str = "", status: int = 503, about: str | None = None
    ) -> None:
        """`status` is the matching HTTP status; `about` names the invalid field."""
        super().__init__(message)
        self.reason = reason or message
        self.status = status
        self.about = about


class KeyGoneError(Exception):
    """The API key has been deleted in the meantime."""


def found(key: ApiKey | None) -> ApiKey:
    """Return the key. Raises KeyGoneError if it is None."""
    if key is None:
        raise KeyGoneError
    return key


async def remove_keys(session: AsyncSession, keys: Sequence[ApiKey], now: int) -> None:
    """Delete keys from the database. Raises KeyGoneError if one is gone already.

    `now` is Unix time in seconds.
    """
    for key in sorted(keys, key=lambda key: key.id):  # In a fixed order, to prevent deadlocks.
        current = found(await api_keys.find_locked(session, key.id))
        await api_keys.remove(session, current, now)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """An API key with a new secret, which is shown once and not stored."""

    key: ApiKey
    secret: str = field(repr=False)
    previous_valid_until: int | None = None
    """When the previous secret stops working (Unix time, seconds); None: at once."""


Also = Callable[[AsyncSession], Awaitable[None]]


async def nothing_else(_session: AsyncSession) -> None:
    """Write nothing beside the change."""


AlsoIssued = Callable[[AsyncSession, IssuedKey], Awaitable[None]]


async def nothing_issued(_session: AsyncSession, _issued: IssuedKey) -> None:
    """Write nothing beside the new secret."""


class Enforcer(Protocol):
    """Manages API keys for whatever enforces the usage plans.

    Example::

        issued = await enforcer.create_key(account_id, "laptop", plan)
        show_once(issued.secret)

    Every method raises EnforcerError if the enforcer is unreachable or refuses, and
    DatabaseUnavailableError; those that take a key raise KeyGoneError. `also` writes to the
    database in the same transaction as the change.
    """

    async def policy(self) -> QuotaPolicy:
        """Return the current usage plans and the ceilings above them."""

    def unenforced_options(self, plan: UsagePlan) -> list[str]:
        """Return the options of a plan that nothing enforces, such as `tokens_per_day`."""

    async def create_key(
        self,
        account_id: str,
        name: str,
        plan: UsagePlan,
        options: KeyOptions = NO_OPTIONS,
        also: AlsoIssued = nothing_issued,
    ) -> IssuedKey:
        """Create an API key. What its account used today counts against it.

        Raises TooManyKeysError if the account has as many as it may.
        """

    async def change_key(
        self, key: ApiKey, name: str, plan: UsagePlan | None, also: Also = nothing_else
    ) -> ApiKey:
        """Rename a key and, with a `plan`, move it there. Used units stay used."""

    async def rotate_key(
        self, key: ApiKey, grace_s: int, also: AlsoIssued = nothing_issued
    ) -> IssuedKey:
        """Give a key a new secret. The old one works for `grace_s` seconds more."""

    async def delete_keys(self, keys: Sequence[ApiKey], also: Also = nothing_else) -> None:
        """Delete keys. They are rejected everywhere within a second."""

    async def set_account_enabled(
        self, account_id: str, enabled: bool, also: Also = nothing_else
    ) -> None:
        """Admit or reject an account's keys. `also` changes the account itself."""
