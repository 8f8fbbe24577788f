"""Revokes API keys that were found in public."""

from collections.abc import Awaitable, Callable, Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain import key_format
from daypass.enforcement.base import Enforcer, KeyGoneError
from daypass.records import api_keys
from daypass.records.api_keys import SecretOwner
from daypass.records.database import Database

Record = Callable[[AsyncSession, SecretOwner], Awaitable[None]]


async def revoke_leaked(
    enforcer: Enforcer, database: Database, secrets: Iterable[str], record: Record
) -> list[SecretOwner]:
    """Make leaked secrets useless everywhere within a second, and return their keys.

    A key whose current secret leaked is deleted. If only a rotated-out secret leaked, its grace
    period ends and the key stays. Unknown secrets are ignored. `record` writes to the audit log
    in the transaction of each change. Raises EnforcerError and DatabaseUnavailableError.
    """
    revoked = []
    for secret in secrets:
        digest = key_format.digest(secret)
        async with database.read() as session:
            owner = await api_keys.find_by_secret(session, digest)
        if owner is None:
            continue

        async def note(session: AsyncSession, owner: SecretOwner = owner) -> None:
            await record(session, owner)

        async def end_grace(
            session: AsyncSession, owner: SecretOwner = owner, digest: str = digest
        ) -> None:
            await api_keys.end_secret(session, digest)
            await record(session, owner)

        try:
            if owner.is_current:
                await enforcer.delete_keys([owner.key], note)
            else:
                await enforcer.change_key(owner.key, owner.key.name, None, end_grace)
        except KeyGoneError:
            continue
        revoked.append(owner)
    return revoked
