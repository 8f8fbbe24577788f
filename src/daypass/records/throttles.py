"""Throttles on people's attempts, kept in the database for all workers together."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.records.database import insert_into
from daypass.records.identifiers import digest
from daypass.records.tables import Attempts


class Throttle(NamedTuple):
    """So many at once, and one more each `every_s` seconds."""

    burst: int
    every_s: int


class ThrottledError(Exception):
    """There is no unit left. `wait_ms`: milliseconds until there is one."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(f"throttled for {wait_ms} ms")
        self.wait_ms = wait_ms


async def check(session: AsyncSession, units: Mapping[str, Throttle], now_ms: int) -> None:
    """Raise ThrottledError where `take` would; takes nothing."""
    for name, throttle in _in_order(units):
        wait_ms = await _whole_at(session, name, now_ms) - _latest(throttle, now_ms)
        if wait_ms + throttle.every_s * 1000 > 0:
            raise ThrottledError(wait_ms + throttle.every_s * 1000)


async def take(session: AsyncSession, units: Mapping[str, Throttle], now_ms: int) -> None:
    """Take one unit from each throttle, by name. Raises ThrottledError; then none is taken.

    One row says all of a throttle: the time at which it is whole again (GCRA, ITU-T I.371). Names
    are stored as digests, for they hold people's addresses. `now_ms`: Unix time, milliseconds.
    """
    for name, throttle in _in_order(units):
        if not await _take_one(session, name, throttle, now_ms):
            interval = throttle.every_s * 1000
            whole_at = await _whole_at(session, name, now_ms)
            raise ThrottledError(whole_at + interval - _latest(throttle, now_ms))


async def try_to_take(session: AsyncSession, name: str, throttle: Throttle, now_ms: int) -> bool:
    """Take one unit, if there is one. Returns whether there was."""
    return await _take_one(session, digest(name), throttle, now_ms)


async def taken(session: AsyncSession, name: str, throttle: Throttle, now_ms: int) -> int:
    """How many units are taken at this moment."""
    whole_at = await _whole_at(session, digest(name), now_ms)
    return -(-(whole_at - now_ms) // (throttle.every_s * 1000))


async def give_back(session: AsyncSession, units: Mapping[str, Throttle]) -> None:
    """Give a unit back to each throttle: the attempt was a right one."""
    for name, throttle in _in_order(units):
        await session.execute(
            update(Attempts)
            .where(Attempts.name == name)
            .values(whole_at=Attempts.whole_at - throttle.every_s * 1000)
        )


async def delete_whole(session: AsyncSession, now_ms: int) -> None:
    """Delete the rows of throttles of which no unit is taken."""
    # Those that somebody is working on are left for the next time.
    whole = select(Attempts.name).where(Attempts.whole_at <= now_ms)
    await session.execute(
        delete(Attempts).where(Attempts.name.in_(whole.with_for_update(skip_locked=True)))
    )


async def reset(session: AsyncSession, names: Iterable[str]) -> None:
    """Make these throttles whole again."""
    digests = sorted(digest(name) for name in names)
    await session.execute(delete(Attempts).where(Attempts.name.in_(digests)))


def _in_order(units: Mapping[str, Throttle]) -> list[tuple[str, Throttle]]:
    """The same order for all, so that two transactions cannot wait for each other's row."""
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
    """The time at which a throttle is whole again when it is used up."""
    return now_ms + throttle.burst * throttle.every_s * 1000
