"""The built-in plans, which a site's first start copies to its database."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from daypass.app.startup import prepare
from daypass.cli.doctor import read_plans
from daypass.config.plans import PlanSettings
from daypass.config.settings import Settings
from daypass.domain.plans import DEFAULT_PLANS, UsagePlan
from daypass.enforcement.current_policy import current_policy
from daypass.records import usage_plans
from daypass.records.database import Database
from daypass.records.schema import upgrade

BUILT_IN = ["10RequestPerDay", "20RequestPerDay", "30RequestPerDay"]
CONFIGURED = PlanSettings(id="lab", name="Lab", requests_per_day=5)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    url = None if database_url.startswith("sqlite") else SecretStr(database_url)
    return Settings(data_dir=tmp_path / "data", database_url=url)


async def stored(settings: Settings) -> list[UsagePlan]:
    database = Database(settings.database_address)
    async with database.read() as session:
        plans = await usage_plans.plans(session)
    await database.close()
    return plans


async def test_concurrent_starts_copy_built_in_plans_once(settings: Settings) -> None:
    await asyncio.gather(*(prepare(settings) for _ in range(4)))
    assert await stored(settings) == list(DEFAULT_PLANS)


async def test_an_edited_built_in_plan_is_not_overwritten(settings: Settings) -> None:
    await prepare(settings)
    database = Database(settings.database_address)
    async with database.write() as session:
        row = await usage_plans.find_locked(session, "20RequestPerDay")
        assert row is not None
        row.name, row.terms, row.retired_at = "Mine", {"requests_per_day": 7}, 1
    # Another process may still believe that plans are missing.
    async with database.write() as session:
        await usage_plans.add_built_in(session)
    await database.close()
    await prepare(settings)
    plans = await stored(settings)
    assert [(x.name, x.daily_requests, x.self_service) for x in plans] == [
        ("10 requests per day", 10, True),
        ("Mine", 7, False),
        ("30 requests per day", 30, True),
    ]


async def test_an_existing_site_gets_built_in_plans_before_its_own(settings: Settings) -> None:
    settings.data_dir.mkdir()
    await upgrade(settings.database_address)
    database = Database(settings.database_address)
    columns = {"name": "Lab", "description": "", "terms": {"requests_per_day": 5}}
    async with database.write() as session:
        await usage_plans.create(session, "lab", columns, 1_800_000_000)
    await database.close()
    await prepare(settings)
    assert [plan.id for plan in await stored(settings)] == [*BUILT_IN, "lab"]


async def test_a_site_with_configured_plans_gets_no_built_in_plans(settings: Settings) -> None:
    await prepare(settings.model_copy(update={"plans": (CONFIGURED,)}))
    assert await stored(settings) == []


async def test_beside_configured_plans_only_edited_ones_are_offered(settings: Settings) -> None:
    await prepare(settings)
    database = Database(settings.database_address)
    async with database.write() as session:
        row = await usage_plans.find_locked(session, "20RequestPerDay")
        assert row is not None
        row.description = "Ours."
    configured = settings.model_copy(update={"plans": (CONFIGURED,)})
    async with database.read() as session:
        plans = (await current_policy(session, configured)).plans
        alone = (await current_policy(session, settings)).plans
    await database.close()
    assert [plan.id for plan in plans.values() if plan.self_service] == ["lab", "20RequestPerDay"]
    # Keys keep their plans.
    assert plans["10RequestPerDay"].daily_requests == 10
    assert [plan.id for plan in alone.values() if plan.self_service] == BUILT_IN


async def test_doctor_lists_the_effective_plans(settings: Settings) -> None:
    assert [plan.id for plan in await read_plans(settings)] == BUILT_IN
    await prepare(settings)
    database = Database(settings.database_address)
    columns = {"name": "Lab", "description": "", "terms": {"requests_per_day": 5}}
    async with database.write() as session:
        await usage_plans.create(session, "lab", columns, 1_800_000_000)
    await database.close()
    assert [plan.id for plan in await read_plans(settings)] == [*BUILT_IN, "lab"]
