"""Today's use of API keys, read from the ledger itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daypass.plans import Window
from daypass.portal.context import Portal
from daypass.quota.ledger import BucketState, Claim
from daypass.quota.policy import QuotaPolicy
from daypass.records.tables import ApiKey


@dataclass(frozen=True, slots=True)
class Meter:
    """A key and its buckets: its own, its account's, the site's."""

    key: ApiKey
    buckets: Sequence[BucketState]

    @property
    def quotas(self) -> list[BucketState]:
        """The buckets that are an allowance: a throttle's is empty one moment and full the next."""
        return [x for x in self.buckets if not x.claim.limit.window.is_throttle]

    @property
    def shown(self) -> BucketState | None:
        """The key's own bucket to draw: its day's, else the one of its longest window."""
        own = [x for x in self.quotas if x.claim.subject.kind == "key"]
        daily = [x for x in own if x.claim.limit.window is Window.DAY]
        return max(daily or own, key=lambda x: x.claim.limit.window.seconds, default=None)

    def figures(self) -> dict[str, Any]:
        """What of the quota shown an `Allowance` has; `remaining` is the fullest's."""
        shown = self.shown
        return {
            "used": shown.used if shown else 0,
            "limit": shown.claim.limit.capacity if shown else None,
            "window": shown.claim.limit.window if shown else None,
            "remaining": min((x.remaining for x in self.quotas), default=None),
            "resets_at": shown.resets_at if shown else None,
        }


async def read_meters(
    portal: Portal, keys: Sequence[ApiKey], moved: Mapping[str, str] | None = None
) -> list[Meter]:
    """The meters of all of an account's keys, at one instant. Raises LedgerUnavailableError.

    `moved` are usage plans that stand for those of the keys with these ids.
    """
    policy = await portal.policy()
    plan_ids = {key.id: key.usage_plan_id for key in keys} | dict(moved or {})
    claims_of = [_claims(policy, key, plan_ids) for key in keys]
    states = iter(await portal.ledger.peek([x for claims in claims_of for x in claims]))
    return [
        Meter(key, [next(states) for _ in claims])
        for key, claims in zip(keys, claims_of, strict=True)
    ]


def _claims(policy: QuotaPolicy, key: ApiKey, plan_ids: Mapping[str, str]) -> tuple[Claim, ...]:
    plan = policy.plans.get(plan_ids[key.id])
    if plan is None or key.slot is None:
        return ()
    return policy.claims(key.account_id, key.slot, plan, plan_ids.values())
