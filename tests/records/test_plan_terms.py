"""The migration that moved a plan's terms into one column."""

from sqlalchemy import text

from daypass.domain.plans import Limit, Measure, Window
from daypass.records import usage_plans
from daypass.records.database import Database
from daypass.records.key_holders import key_revision
from daypass.records.schema import upgrade

OLD = {"id": "lab", "name": "Lab", "minute": 6, "burst": 2, "day": 50, "models": '["gpt-4o*"]'}
INSERT = """
INSERT INTO usage_plan
(id, name, description, requests_per_minute, burst, requests_per_day, models, self_service,
 created_at)
VALUES (:id, :name, '', :minute, :burst, :day, :models, :offered, 1)
"""


async def test_migrations_keep_plan_terms_and_triggers(database_url: str) -> None:
    await upgrade(database_url)
    await upgrade(database_url, "0012")
    old = Database(database_url)
    async with old.write() as session:
        await session.execute(text(INSERT), OLD | {"offered": False})
    await old.close()
    await upgrade(database_url)
    database = Database(database_url)
    async with database.read() as session:
        (plan,) = await usage_plans.plans(session)
        before = await key_revision(session)
    assert plan.limits == (
        Limit(Measure.REQUESTS, 6, Window.MINUTE, 2),
        Limit(Measure.REQUESTS, 50, Window.DAY),
    )
    assert (plan.models, plan.self_service) == (frozenset({"gpt-4o*"}), False)
    async with database.write() as session:
        row = await usage_plans.find_locked(session, "lab")
        assert row is not None
        row.terms = {"requests_per_day": 7}
    async with database.read() as session:
        assert await key_revision(session) > before
    await database.close()
    await upgrade(database_url, "0012")
    lowered = Database(database_url)
    async with lowered.read() as session:
        query = text("SELECT requests_per_day FROM usage_plan")
        assert (await session.execute(query)).scalar_one() == 7
    await lowered.close()
