"""Who enforces the usage plans, as the portal and the command see it.

There are two: Daypass's own gateway (`embedded.py`), and AWS API Gateway (`aws/`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.plans import UsagePlan
from daypass.quota.policy import QuotaPolicy
from daypass.records import api_keys
from daypass.records.tables import ApiKey


class EnforcerError(Exception):
    """The enforcer could not do what was asked, and nothing has changed.

    The message is for whoever asked. `reason` is for the operator: what happened, and what to do.
    """

    def __init__(
        self, message: str, *, reason: str = "", status: int = 503, about: str | None = None
    ) -> None:
        """`status` is the HTTP status that fits; `about` names the field that is at fault."""
        super().__init__(message)
        self.reason = reason or message
        self.status = status
        self.about = about


class KeyGoneError(Exception):
    """The API key has been deleted meanwhile."""


def found(key: ApiKey | None) -> ApiKey:
    """The key. Raises KeyGoneError where there is none."""
    if key is None:
        raise KeyGoneError
    return key


async def remove_keys(session: AsyncSession, keys: Sequence[ApiKey], now: int) -> None:
    """Delete keys from the records. Raises KeyGoneError if one is gone already.

    `now` is Unix time in seconds.
    """
    for key in sorted(keys, key=lambda key: key.id):  # In one order, against deadlocks.
        current = found(await api_keys.find_locked(session, key.id))
        await api_keys.remove(session, current, now)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """An API key with a new secret, which is shown once and then forgotten."""

    key: ApiKey
    secret: str = field(repr=False)
    previous_valid_until: int | None = None
    """Until when the secret before it works (Unix time, seconds); None: no longer."""


Also = Callable[[AsyncSession], Awaitable[None]]


async def nothing_else(_session: AsyncSession) -> None:
    """Write nothing beside the change."""


class Enforcer(Protocol):
    """Admits and refuses calls by the usage plans, and knows the keys for that.

    Every method raises EnforcerError when the enforcer is away or refuses, and
    DatabaseUnavailableError; those that are given a key raise KeyGoneError. What is `also` to be
    written is written in the same transaction as the change, or neither is.
    """

    async def policy(self) -> QuotaPolicy:
        """The usage plans that are enforced now, and the ceilings above them."""

    async def create_key(self, account_id: str, name: str, plan: UsagePlan) -> IssuedKey:
        """Make an API key. What its account used today counts on it.

        Raises TooManyKeysError when the account has as many as it may.
        """

    async def change_key(
        self, key: ApiKey, name: str, plan: UsagePlan | None, also: Also = nothing_else
    ) -> ApiKey:
        """Rename a key and, with a `plan`, move it there. What it used today stays used."""

    async def rotate_key(self, key: ApiKey, grace_s: int) -> IssuedKey:
        """Give a key a new secret. The old one works for `grace_s` seconds more."""

    async def delete_keys(self, keys: Sequence[ApiKey], also: Also = nothing_else) -> None:
        """Delete keys. They are refused everywhere within a second."""

    async def set_account_enabled(
        self, account_id: str, enabled: bool, also: Also = nothing_else
    ) -> None:
        """Admit an account's keys again, or refuse them. `also` changes the account itself."""
