"""The usage of API keys, read from the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from pydantic import BaseModel

from daypass.domain.plans import Measure, Window
from daypass.portal.context import Portal
from daypass.portal.times import Instant
from daypass.quota.ledger import BucketState, Claim, Subject
from daypass.quota.policy import QuotaPolicy
from daypass.records.tables import ApiKey

LimitSubject = Literal["key", "account", "site"]


class LimitUse(BaseModel):
    """The usage of one limit in its current window, as also shown by `GET /v1/key`.

    `subject` is what the limit applies to: the key, the account or the site. `limit` is the
    amount per window, in requests, tokens or micro-dollars. For a limit per minute with a burst,
    it is the burst, and `resets_at` is when the next unit becomes available. A limit in total
    never resets.
    """

    subject: LimitSubject
    measure: Measure
    window: Window
    limit: int
    used: int
    remaining: int
    resets_at: Instant | None

    @classmethod
    def of(cls, state: BucketState) -> Self:
        """Return the usage of a bucket's limit."""
        limit = state.claim.limit
        return cls(
            subject=cast(LimitSubject, state.claim.subject.kind),
            measure=limit.measure,
            window=limit.window,
            limit=limit.capacity,
            used=state.used,
            remaining=state.remaining,
            resets_at=reset_of(state),
        )


class ConcurrentUse(BaseModel):
    """The requests of one key that are in progress, and the most that its usage plan allows."""

    limit: int
    used: int


def reset_of(state: BucketState) -> int | None:
    """Return when a bucket's window ends (Unix time, seconds); None if it never does."""
    return None if state.claim.limit.window is Window.TOTAL else state.resets_at


@dataclass(frozen=True, slots=True)
class Meter:
    """A key and its buckets: the key's, the account's and the site's."""

    key: ApiKey
    buckets: Sequence[BucketState]
    concurrent: ConcurrentUse | None = None
    """None if the key's plan does not limit concurrent requests."""

    @property
    def quotas(self) -> list[BucketState]:
        """The quotas of requests: a throttle is full one moment and empty the next."""
        limits = [(x, x.claim.limit) for x in self.buckets]
        return [
            x
            for x, limit in limits
            if limit.measure is Measure.REQUESTS and not limit.window.is_throttle
        ]

    @property
    def own_quotas(self) -> list[BucketState]:
        """The quotas of the key itself."""
        return [x for x in self.quotas if x.claim.subject.kind == "key"]

    @property
    def day(self) -> BucketState | None:
        """The key's own daily quota, if it has one."""
        return next((x for x in self.own_quotas if x.claim.limit.window is Window.DAY), None)

    def figures(self) -> dict[str, Any]:
        """Return the fields of an `Allowance`, and `limits`.

        `used`, `limit` and `window` describe the key's tightest quota. `remaining` and `resets_at`
        describe the tightest quota overall, which may be the account's or the site's. All of
        these are about requests; `limits` has every measure.
        """
        own, tightest = _tightest(self.own_quotas), _tightest(self.quotas)
        return {
            "used": own.used if own else 0,
            "limit": own.claim.limit.capacity if own else None,
            "window": own.claim.limit.window if own else None,
            "remaining": tightest.remaining if tightest else None,
            "resets_at": reset_of(tightest) if tightest else None,
            "limits": [LimitUse.of(x) for x in self.buckets],
        }


def _tightest(quotas: Sequence[BucketState]) -> BucketState | None:
    """Return the quota with the least remaining; of equal ones, the one that resets last."""
    return min(quotas, key=lambda x: (x.remaining, -x.resets_at), default=None)


async def read_meters(
    portal: Portal, keys: Sequence[ApiKey], moved: Mapping[str, str] | None = None
) -> list[Meter]:
    """Read the meters of all of an account's keys at once. Raises LedgerUnavailableError.

    `moved` maps ids of keys to usage plans to assume in place of their own.
    """
    policy = await portal.policy()
    plan_ids = {key.id: key.usage_plan_id for key in keys} | dict(moved or {})
    claims_of = [_claims(policy, key, plan_ids) for key in keys]
    states = iter(await portal.ledger.peek([x for claims in claims_of for x in claims]))
    concurrent = await _concurrent_uses(portal, policy, keys, plan_ids)
    return [
        Meter(key, [next(states) for _ in claims], concurrent.get(key.id))
        for key, claims in zip(keys, claims_of, strict=True)
    ]


async def read_account_limits(
    portal: Portal, account_id: str, meters: Sequence[Meter]
) -> list[LimitUse]:
    """Return the usage of the limits that an account's keys share. Raises LedgerUnavailableError.

    `meters` are those of all its keys. An account without keys has only its ceilings.
    """
    shared = [x for meter in meters for x in meter.buckets if x.claim.subject.kind == "account"]
    if not meters:
        claims = (await portal.policy()).account_claims(account_id, ())
        shared = list(await portal.ledger.peek(claims))
    by_limit = {(x.claim.limit.measure, x.claim.limit.window): x for x in shared}
    return [LimitUse.of(x) for x in by_limit.values()]


async def _concurrent_uses(
    portal: Portal, policy: QuotaPolicy, keys: Sequence[ApiKey], plan_ids: Mapping[str, str]
) -> dict[str, ConcurrentUse]:
    """Return the concurrent requests of the keys whose plans limit them, by the key's id."""
    limits: dict[str, int] = {}
    subjects: list[Subject] = []
    for key in keys:
        plan = policy.plans.get(plan_ids[key.id])
        if plan is None or plan.max_concurrent_requests is None or key.slot is None:
            continue
        limits[key.id] = plan.max_concurrent_requests
        subjects.append(Subject("key", key.account_id, key.slot))
    used = await portal.ledger.count_leases(subjects)
    return {
        key_id: ConcurrentUse(limit=limit, used=number)
        for (key_id, limit), number in zip(limits.items(), used, strict=True)
    }


def _claims(policy: QuotaPolicy, key: ApiKey, plan_ids: Mapping[str, str]) -> tuple[Claim, ...]:
    plan = policy.plans.get(plan_ids[key.id])
    if plan is None or key.slot is None:
        return ()
    return policy.claims(key.account_id, key.slot, plan, plan_ids.values())
