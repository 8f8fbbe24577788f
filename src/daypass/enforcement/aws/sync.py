"""How `daypass.toml`, the records and API Gateway differ, and how they are brought together."""

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
"""API Gateway takes one UpdateUsagePlan in 20 seconds."""

SETTLED_S = 300.0
LIMIT_KEYS = ("burst", "unlimited")

Where = Literal["only here", "only at API Gateway", "differs"]


class PlanDifference(NamedTuple):
    """A usage plan that is not the same here and there, with its limits on either side."""

    usage_plan_id: str
    what: Where
    here: tuple[Limit, ...] | None
    there: tuple[Limit, ...] | None


class StrayKey(NamedTuple):
    """A key that only one side knows."""

    what: Where
    api_key_id: str
    aws_key_id: str
    account_id: str

    @property
    def is_there_only(self) -> bool:
        """Whether API Gateway has a key that nobody here knows."""
        return self.what == "only at API Gateway"


def compare_plans(here: Sequence[UsagePlan], there: dict[str, AwsPlan]) -> list[PlanDifference]:
    """How the plans of the settings and of API Gateway differ. Raises PlanNotPossibleError."""
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
    """A plan's limits as API Gateway would have them: its throttle always has a burst."""
    quota, throttle = quota_and_throttle(plan)
    return limits_of({"quota": quota, "throttle": throttle})


async def read_there(api: ApiGateway, here: Sequence[UsagePlan]) -> dict[str, AwsPlan]:
    """The plans of API Gateway. Raises AwsError."""
    return read_plans(await api.usage_plans(), here)


async def push_plans(
    api: ApiGateway,
    here: Sequence[UsagePlan],
    tell: Callable[[str], None],
    pause_s: float = UPDATE_EVERY_S,
) -> None:
    """Give API Gateway the plans that are here, one after the other. Raises AwsError.

    Between two changes of plans `pause_s` seconds pass.
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
    """Write the plans of API Gateway into `daypass.toml`, and leave all else in it as it is."""
    document = tomlkit.parse(path.read_text()) if path.is_file() else tomlkit.document()
    written = {str(x["id"]): x for x in document.get("plans", [])}
    if not written:  # With plans of its own in the file, the built-in ones hold no longer.
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
    """Keys that only API Gateway has (what a crash left), or only the records (deleted there).

    Younger ones than `settled_s` seconds may be about to be recorded and are left out.
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
