"""Throttles on attempts, in the database for all workers."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.identifiers import digest
from daypass.records.tables import Attempts


class Throttle(NamedTuple):
    """A throttle that allows a burst, and one more attempt every `every_s` seconds."""

    burst: int
    every_s: int


class ThrottledError(Exception):
    """No unit is left. `wait_ms`: milliseconds until there is one."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(f"throttled for {wait_ms} ms")
        self.wait_ms = wait_ms


async def check(session: AsyncSession, units: Mapping[str, Throttle], now_ms: int) -> None:
    """Raise ThrottledError if `take` would, without taking anything."""
    for name, throttle in _in_order(units):
        wait_ms = await _whole_at(session, name, now_ms) - _latest(throttle, now_ms)
        if wait_ms + throttle.every_s * 1000 > 0:
            raise ThrottledError(wait_ms + throttle.every_s * 1000)


async def take(session: AsyncSession, units: Mapping[str, Throttle], now_ms: int) -> None:
    """Take one unit from each throttle, by name. Raises ThrottledError and takes none.

    One row stores a throttle: the time at which it is full again (GCRA, ITU-T I.371). Names
    are stored as digests because they contain addresses. `now_ms`: Unix time, milliseconds.
    """
    for name, throttle in _in_order(units):
        if not await _take_one(session, name, throttle, now_ms):
            interval = throttle.every_s * 1000
            whole_at = await _whole_at(session, name, now_ms)
            raise ThrottledError(whole_at + interval - _latest(throttle, now_ms))


async def try_to_take(session: AsyncSession, name: str, throttle: Throttle, now_ms: int) -> bool:
    """Take one unit if there is one, and return whether there was."""
    return await _take_one(session, digest(name), throttle, now_ms)


async def taken(session: AsyncSession, name: str, throttle: Throttle, now_ms: int) -> int:
    """Return how many units are taken at this moment."""
    whole_at = await _whole_at(session, digest(name), now_ms)
    return -(-(whole_at - now_ms) // (throttle.every_s * 1000))


async def give_back(session: AsyncSession, units: Mapping[str, Throttle]) -> None:
    """Give a unit back to each throttle: the attempt succeeded."""
    for name, throttle in _in_order(units):
        await session.execute(
            update(Attempts)
            .where(Attempts.name == name)
            .values(whole_at=Attempts.whole_at - throttle.every_s * 1000)
        )


async def delete_whole(session: AsyncSession, now_ms: int) -> None:
    """Delete the rows of full throttles."""
    # Rows that are in use are left for the next sweep.
    whole = select(Attempts.name).where(Attempts.whole_at <= now_ms)
    await session.execute(
        delete(Attempts).where(Attempts.name.in_(whole.with_for_update(skip_locked=True)))
    )


async def reset(session: AsyncSession, names: Iterable[str]) -> None:
    """Reset these throttles."""
    digests = sorted(digest(name) for name in names)
    await session.execute(delete(Attempts).where(Attempts.name.in_(digests)))


def _in_order(units: Mapping[str, Throttle]) -> list[tuple[str, Throttle]]:
    """A fixed order, so that two transactions cannot wait for each other's row."""
    return sorted((digest(name), throttle) for name, throttle in units.items())


async def _take_one(session: AsyncSession, name: str, throttle: Throttle, now_ms: int) -> bool:
    interval = throttle.every_s * 1000
    begins = case((Attempts.whole_at > now_ms, Attempts.whole_at), else_=now_ms)
    row = insert_into(session, Attempts).values(name=name, whole_at=now_ms + interval)
    whole_at = await session.scalar(
        row.on_conflict_do_update(
            index_elements=[Attempts.name],
            set_={"whole_at": begins + interval},
            where=begins + interval <= _latest(throttle, now_ms),
        ).returning(Attempts.whole_at)
    )
    return whole_at is not None


async def _whole_at(session: AsyncSession, name: str, now_ms: int) -> int:
    whole_at = await session.scalar(select(Attempts.whole_at).where(Attempts.name == name))
    return max(whole_at or 0, now_ms)


def _latest(throttle: Throttle, now_ms: int) -> int:
    """Return the time at which a throttle that is used up is full again."""
    return now_ms + throttle.burst * throttle.every_s * 1000
