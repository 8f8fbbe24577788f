"""Queries on usage plans made on the site."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.plans import PlanTerms
from daypass.domain.plans import UsagePlan
from daypass.records.tables import StoredPlan


class PlanIdTakenError(Exception):
    """A usage plan with this id already exists."""


async def plans(session: AsyncSession) -> list[UsagePlan]:
    """Return every plan made on the site. Retired ones are not self-service."""
    return [to_plan(row) for row in await rows(session)]


async def rows(session: AsyncSession) -> Sequence[StoredPlan]:
    """Return the rows of all plans made on the site, oldest first."""
    found = await session.scalars(select(StoredPlan).order_by(StoredPlan.created_at, StoredPlan.id))
    return found.all()


async def find_locked(session: AsyncSession, plan_id: str) -> StoredPlan | None:
    """Return a plan made on the site, locked until this transaction ends.

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


def to_plan(row: StoredPlan) -> UsagePlan:
    """Return the usage plan that a row describes."""
    terms = PlanTerms(name=row.name, description=row.description, **row.terms)
    plan = terms.to_plan(row.id)
    return plan if row.retired_at is None else replace(plan, self_service=False)
