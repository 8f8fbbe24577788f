"""Queries on the site's usage plans: those made there, and copies of the built-in ones."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.plans import PlanTerms
from daypass.domain.plans import DEFAULT_PLANS, UsagePlan
from daypass.records.database import insert_into
from daypass.records.tables import StoredPlan


class PlanIdTakenError(Exception):
    """A usage plan with this id already exists."""


FIRST = 0
"""The creation time of built-in plans: they are listed before all others."""


async def plans(session: AsyncSession) -> list[UsagePlan]:
    """Return every plan of the site. Retired ones are not self-service."""
    return [to_plan(row) for row in await rows(session)]


async def rows(session: AsyncSession) -> Sequence[StoredPlan]:
    """Return the rows of the site's plans, oldest first."""
    found = await session.scalars(select(StoredPlan).order_by(StoredPlan.created_at, StoredPlan.id))
    return found.all()


async def find_locked(session: AsyncSession, plan_id: str) -> StoredPlan | None:
    """Return a plan of the site, locked until this transaction ends.

    SQLite needs no lock: it has a single writer.
    """
    return await session.get(StoredPlan, plan_id, with_for_update=True)


async def create(
    session: AsyncSession, plan_id: str, columns: dict[str, Any], now: int
) -> StoredPlan:
    """Add a plan. Raises PlanIdTakenError."""
    row = StoredPlan(id=plan_id, **columns, created_at=now, retired_at=None)
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        raise PlanIdTakenError from error
    return row


async def has_built_in(session: AsyncSession) -> bool:
    """Return whether the site has a plan with the id of every built-in one."""
    ids = [plan.id for plan in DEFAULT_PLANS]
    found = select(func.count()).where(StoredPlan.id.in_(ids))
    return await session.scalar(found) == len(ids)


async def add_built_in(session: AsyncSession) -> None:
    """Copy the built-in plans, except those whose ids the site has.

    Several processes may do so at the same time.
    """
    rows = [
        {
            "id": plan.id,
            "name": plan.name,
            "description": plan.description,
            "terms": {f"{x.measure}_per_{x.window}": x.amount for x in plan.limits},
            "created_at": FIRST,
        }
        for plan in DEFAULT_PLANS
    ]
    insert = insert_into(session, StoredPlan).on_conflict_do_nothing(index_elements=["id"])
    await session.execute(insert, rows)


def to_plan(row: StoredPlan) -> UsagePlan:
    """Return the usage plan that a row describes."""
    terms = PlanTerms(name=row.name, description=row.description, **row.terms)
    plan = terms.to_plan(row.id)
    return plan if row.retired_at is None else replace(plan, self_service=False)
