"""Compares `daypass.toml`, the database and API Gateway, and reconciles them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import tomlkit

from daypass.domain.plans import Limit, UsagePlan
from daypass.enforcement.aws.client import ACCOUNT_TAG, ApiGateway
from daypass.enforcement.aws.plans import AwsPlan, limits_of, quota_and_throttle, read_plans
from daypass.records import aws_keys
from daypass.records.database import Database

UPDATE_EVERY_S = 20.0
"""API Gateway accepts one UpdateUsagePlan per 20 seconds."""

SETTLED_S = 300.0
LIMIT_KEYS = ("burst", "unlimited")

Where = Literal["only here", "only at API Gateway", "differs"]


class PlanDifference(NamedTuple):
    """A usage plan that differs between Daypass and API Gateway, with its limits on either side."""

    usage_plan_id: str
    what: Where
    here: tuple[Limit, ...] | None
    there: tuple[Limit, ...] | None


class StrayKey(NamedTuple):
    """A key that only one side has."""

    what: Where
    api_key_id: str
    aws_key_id: str
    account_id: str

    @property
    def is_there_only(self) -> bool:
        """Return whether only API Gateway has the key."""
        return self.what == "only at API Gateway"


def compare_plans(here: Sequence[UsagePlan], there: dict[str, AwsPlan]) -> list[PlanDifference]:
    """Compare the plans of the settings and of API Gateway. Raises PlanNotPossibleError."""
    differences = []
    for plan in here:
        wanted = as_enforced(plan)
        held = there.get(plan.id)
        if held is None:
            differences.append(PlanDifference(plan.id, "only here", wanted, None))
        elif set(wanted) != set(held.plan.limits):
            differences.append(PlanDifference(plan.id, "differs", wanted, held.plan.limits))
    known = {plan.id for plan in here}
    for plan_id, held in there.items():
        if plan_id not in known:
            held_there = held.plan.limits
            differences.append(PlanDifference(plan_id, "only at API Gateway", None, held_there))
    return differences


def as_enforced(plan: UsagePlan) -> tuple[Limit, ...]:
    """Return a plan's limits in API Gateway's terms: its throttle always has a burst."""
    quota, throttle = quota_and_throttle(plan)
    return limits_of({"quota": quota, "throttle": throttle})


async def read_there(api: ApiGateway, here: Sequence[UsagePlan]) -> dict[str, AwsPlan]:
    """Return the plans of API Gateway. Raises AwsError."""
    return read_plans(await api.usage_plans(), here)


async def push_plans(
    api: ApiGateway,
    here: Sequence[UsagePlan],
    tell: Callable[[str], None],
    pause_s: float = UPDATE_EVERY_S,
) -> None:
    """Copy the settings' plans to API Gateway, one after the other. Raises AwsError.

    Wait `pause_s` seconds between two changes.
    """
    there = await read_there(api, here)
    plans = {plan.id: plan for plan in here}
    last_update: float | None = None
    for difference in compare_plans(here, there):
        plan = plans.get(difference.usage_plan_id)
        if plan is None:
            continue
        if difference.what == "only here":
            await api.create_usage_plan(plan)
        else:
            if last_update is not None and pause_s:
                tell(f"waiting: API Gateway takes one change of a plan in {pause_s:.0f} seconds")
                await asyncio.sleep(max(0, last_update + pause_s - time.monotonic()))
            last_update = time.monotonic()
            await api.update_usage_plan(there[plan.id].aws_id, plan)
        limits = ", ".join(map(str, as_enforced(plan)))
        tell(f"{plan.id}: {limits or 'no limit'}")


def pull_plans(path: Path, here: Sequence[UsagePlan], there: dict[str, AwsPlan]) -> None:
    """Write the plans of API Gateway into `daypass.toml`, and change nothing else in it."""
    document = tomlkit.parse(path.read_text()) if path.is_file() else tomlkit.document()
    written = {str(x["id"]): x for x in document.get("plans", [])}
    if not written:  # Once the file has plans, the built-in ones no longer apply.
        document["plans"] = tomlkit.aot()
    differing = {x.usage_plan_id for x in compare_plans(here, there)}
    for plan_id, held in there.items():
        table = written.get(plan_id)
        if table is None:
            table = tomlkit.table()
            table["id"] = plan_id
            table["name"] = held.plan.name
            if held.plan.description:
                table["description"] = held.plan.description
            document["plans"].append(table)
        elif plan_id not in differing:
            continue
        for name in [x for x in table if x in LIMIT_KEYS or x.startswith("requests_per_")]:
            del table[name]
        if not held.plan.limits:
            table["unlimited"] = True
        for limit in held.plan.limits:
            table[f"requests_per_{limit.window.value}"] = limit.amount
            if limit.burst is not None:
                table["burst"] = limit.burst
    path.write_text(tomlkit.dumps(document))


async def find_strays(
    api: ApiGateway, database: Database, settled_s: float = SETTLED_S
) -> list[StrayKey]:
    """Return keys that only API Gateway has (left by a crash) or only the database (deleted there).

    Keys younger than `settled_s` seconds are left out: they may be about to be recorded.
    """
    async with database.read() as session:
        recorded = {key.aws_key_id or "": key for key in await aws_keys.enforced(session)}
    held = {key["id"]: key for key in await api.keys()}
    strays = [
        StrayKey("only at API Gateway", "-", key_id, key.get("tags", {}).get(ACCOUNT_TAG, "-"))
        for key_id, key in held.items()
        if key_id not in recorded and key["createdDate"].timestamp() <= time.time() - settled_s
    ]
    strays += [
        StrayKey("only here", key.id, key_id, key.account_id)
        for key_id, key in recorded.items()
        if key_id not in held
    ]
    return strays
