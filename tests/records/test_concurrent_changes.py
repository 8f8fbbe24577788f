"""Two operators, in two processes, change the same object at the same time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.settings import Settings
from daypass.domain.key_format import mint
from daypass.domain.plans import DEFAULT_PLANS
from daypass.enforcement.base import KeyGoneError
from daypass.enforcement.embedded import EmbeddedEnforcer
from daypass.records import accounts, api_keys, site_settings, usage_plans
from daypass.records.database import Database
from daypass.records.schema import upgrade
from daypass.records.tables import ApiKey
from tests.support.postgres import Postgres

NOW = 1_795_564_800
OVERLAP_S = 0.2
"""How long the second transaction may take to overtake the first one. On a slow machine a fault can
stay unnoticed, but the test does not fail without one."""
SMALL, MEDIUM, LARGE = DEFAULT_PLANS


@pytest.fixture
async def database(postgres_server: Postgres) -> AsyncIterator[Database]:
    """PostgreSQL only: in SQLite, write transactions never overlap."""
    url = postgres_server.create_database(f"test_{uuid4().hex}")
    await upgrade(url)
    database = Database(url)
    yield database
    await database.close()


async def one_after_the_other(
    first: Callable[[Callable[[AsyncSession], Awaitable[None]]], Awaitable[object]],
    second: Callable[[], Awaitable[object]],
) -> object:
    """Start `second` while `first` is in its transaction; return the outcome of `second`."""
    others: list[asyncio.Task[object]] = []

    async def meanwhile(_session: AsyncSession) -> None:
        others.append(asyncio.ensure_future(second()))
        await asyncio.wait(others, timeout=OVERLAP_S)

    await first(meanwhile)
    return (await asyncio.gather(*others, return_exceptions=True))[0]


async def test_concurrent_key_changes_are_serialised(database: Database) -> None:
    enforcer = EmbeddedEnforcer(database, Settings(), lambda: NOW)
    async with database.write() as session:
        account = await accounts.create(session, "ada@example.org", "hash", NOW)
        key = await api_keys.create(
            session, account.id, mint(), name="x", usage_plan_id=SMALL.id, max_keys=3, now=NOW
        )
    seen: list[str] = []

    async def look(session: AsyncSession) -> None:
        current = await session.get(ApiKey, key.id)
        assert current is not None
        seen.append(current.usage_plan_id)

    await one_after_the_other(
        lambda also: enforcer.change_key(key, "x", MEDIUM, also),
        lambda: enforcer.change_key(key, "x", LARGE, look),
    )
    assert seen == [MEDIUM.id]
    gone = await one_after_the_other(
        lambda also: enforcer.delete_keys([key], also), lambda: enforcer.delete_keys([key])
    )
    assert isinstance(gone, KeyGoneError)


async def test_concurrent_retirements_of_a_plan_leave_one_entry(database: Database) -> None:
    async with database.write() as session:
        columns = {"name": "P", "description": "", "terms": {"unlimited": True}}
        await usage_plans.create(session, "p", columns, NOW)

    async def retire(also: Callable[[AsyncSession], Awaitable[None]] | None = None) -> bool:
        async with database.write() as session:
            row = await usage_plans.find_locked(session, "p")
            assert row is not None
            was_retired = row.retired_at is not None
            row.retired_at = NOW
            if also is not None:
                await also(session)
        return was_retired

    assert await one_after_the_other(retire, retire) is True


async def test_settings_are_changed_by_one_operator_at_a_time(database: Database) -> None:
    async def set_mode(
        mode: str, also: Callable[[AsyncSession], Awaitable[None]] | None = None
    ) -> object:
        async with database.write() as session:
            await site_settings.lock(session)
            before = (await site_settings.stored(session)).get("sign_up")
            await site_settings.change(session, {"sign_up": mode}, NOW)
            if also is not None:
                await also(session)
        return before

    seen = await one_after_the_other(
        lambda also: set_mode("closed", also), lambda: set_mode("invite")
    )
    assert seen == "closed"
