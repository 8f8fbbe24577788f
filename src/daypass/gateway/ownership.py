"""Whose an object is that the upstream stores: asked before a request, noted before an answer."""

from collections.abc import Callable, Iterable

from sqlalchemy.exc import IntegrityError

from daypass.gateway.errors import GatewayError, server_error
from daypass.gateway.learned_ids import LearnedIds
from daypass.gateway.stored_names import StoredName
from daypass.records import stored_objects
from daypass.records.database import Database

ID_LENGTH = 255


class Ownership:
    """Who owns what. Raises DatabaseUnavailableError where that cannot be told."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """`clock` gives Unix time in seconds."""
        self._database = database
        self._clock = clock

    async def check(
        self, account_id: str, owned: Iterable[StoredName], within: Iterable[StoredName]
    ) -> None:
        """Raise GatewayError 404 for an object that is not this account's.

        Each of `owned` must be its own. Those `within` an object of its own need not be known,
        but none may be another account's. An unknown object and another's are not told apart.
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
        """Note durably whose the objects in an answer are.

        Raises GatewayError 502 where the answer is an object of another account.
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
        """Return those of these objects that the account owns."""
        owners = await self._owners(ids)
        return {object_id for object_id, owner in owners.items() if owner == account_id}

    async def others(self, account_id: str, ids: Iterable[str]) -> set[str]:
        """Return those of these objects that other accounts own."""
        owners = await self._owners(ids)
        return {object_id for object_id, owner in owners.items() if owner != account_id}

    async def forget(self, object_id: str) -> None:
        """Note that an object is no more."""
        async with self._database.write() as session:
            await stored_objects.forget(session, object_id)

    async def _owners(self, ids: Iterable[str]) -> dict[str, str]:
        async with self._database.read() as session:
            return await stored_objects.owners(session, (x for x in ids if _is_storable(x)))


def _is_storable(object_id: str) -> bool:
    """Whether the database can hold an id: PostgreSQL has no text with a NUL."""
    return 0 < len(object_id) <= ID_LENGTH and "\0" not in object_id


def _no_such_object(name: StoredName) -> GatewayError:
    """404, for an object of another account as for one that there never was."""
    message = f"No such object: '{name.id[:ID_LENGTH]}'."
    return GatewayError(404, "not_found", message, param=name.param, uncounted=True)


def _not_yours() -> GatewayError:
    message = "The upstream gave this object an id that Daypass cannot keep as yours."
    return server_error(502, "upstream_unreadable", message)
