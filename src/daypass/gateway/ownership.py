"""The owners of stored objects: checked before a request, recorded before its answer."""

from collections.abc import Iterable

from sqlalchemy.exc import IntegrityError

from daypass.domain.times import Clock
from daypass.gateway.errors import GatewayError, server_error
from daypass.gateway.learned_ids import LearnedIds
from daypass.gateway.stored_names import StoredName
from daypass.records import stored_objects
from daypass.records.database import Database

ID_LENGTH = 255


class Ownership:
    """The registry of object owners. Raises DatabaseUnavailableError if it cannot be reached."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Create a registry. `clock` returns Unix time in seconds."""
        self._database = database
        self._clock = clock

    async def check(
        self, account_id: str, owned: Iterable[StoredName], within: Iterable[StoredName]
    ) -> None:
        """Raise GatewayError 404 for an object that does not belong to the account.

        The account must own each of `owned`. Objects `within` one of its own may be unknown, but
        must not belong to another account. The error is the same for unknown and foreign objects.
        """
        owned, within = list(owned), list(within)
        if not owned and not within:
            return
        for name in (*owned, *within):
            if not _is_storable(name.id):
                raise _no_such_object(name)
        owners = await self._owners(name.id for name in (*owned, *within))
        for name in owned:
            if owners.get(name.id) != account_id:
                raise _no_such_object(name)
        for name in within:
            if owners.get(name.id, account_id) != account_id:
                raise _no_such_object(name)

    async def claim(self, account_id: str, learned: LearnedIds) -> None:
        """Durably record the account as the owner of the objects in an answer.

        Raises GatewayError: 502 if the answer is another account's object, 403 if the account was
        deleted.
        """
        ids = [object_id for object_id in learned.all if _is_storable(object_id)]
        if learned.own is not None and learned.own not in ids:
            raise _not_yours()
        if not ids:
            return
        try:
            async with self._database.write() as session:
                await stored_objects.claim(session, account_id, ids, int(self._clock()))
                owners = await stored_objects.owners(session, ids)
        except IntegrityError:
            message = "Your account was deleted while the upstream worked."
            raise GatewayError(403, "account_disabled", message) from None
        if learned.own is not None and owners.get(learned.own) != account_id:
            raise _not_yours()

    async def own(self, account_id: str, ids: Iterable[str]) -> set[str]:
        """Return the ids that the account owns."""
        owners = await self._owners(ids)
        return {object_id for object_id, owner in owners.items() if owner == account_id}

    async def others(self, account_id: str, ids: Iterable[str]) -> set[str]:
        """Return the ids that other accounts own."""
        owners = await self._owners(ids)
        return {object_id for object_id, owner in owners.items() if owner != account_id}

    async def remove(self, object_id: str) -> None:
        """Remove a deleted object."""
        async with self._database.write() as session:
            await stored_objects.remove(session, object_id)

    async def _owners(self, ids: Iterable[str]) -> dict[str, str]:
        async with self._database.read() as session:
            return await stored_objects.owners(session, (x for x in ids if _is_storable(x)))


def _is_storable(object_id: str) -> bool:
    """Return whether the database can store an id. PostgreSQL text cannot contain NUL."""
    return 0 < len(object_id) <= ID_LENGTH and "\0" not in object_id


def _no_such_object(name: StoredName) -> GatewayError:
    """Return the 404 for an object that is unknown or belongs to another account."""
    message = f"No such object: '{name.id[:ID_LENGTH]}'."
    return GatewayError(404, "not_found", message, param=name.param, uncounted=True)


def _not_yours() -> GatewayError:
    message = "The upstream gave this object an id that Daypass cannot keep as yours."
    return server_error(502, "upstream_unreadable", message)
