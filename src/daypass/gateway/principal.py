"""The principal of a request: an authenticated key with its account and usage plan."""

from dataclasses import dataclass

from daypass.domain.plans import Measure, UsagePlan
from daypass.domain.times import Clock, iso_utc
from daypass.gateway.errors import GatewayError
from daypass.quota.ledger import Claim, Subject
from daypass.records.key_holders import KeyHolder


@dataclass(slots=True)
class Principal:
    """An authenticated key, with its account and usage plan."""

    api_key_id: str
    account_id: str
    slot: int
    """The key's slot in the account: a key created in place of a deleted one has the same."""
    usage_plan: UsagePlan
    claims: tuple[Claim, ...]
    expires_at: int | None
    """When a rotated-out secret expires (Unix time, seconds)."""
    give_backs: Claim | None = None
    """The claim of a give-back on the account's daily give-back limit."""
    key_expires_at: int | None = None
    """When the key itself expires (Unix time, seconds)."""
    is_paused: bool = False
    is_site_paused: bool = False
    key_models: frozenset[str] = frozenset()
    """The models that the key's owner allows; empty: every model of the plan."""
    limits_models: bool = False
    limits_tokens: bool = False
    limits_cost: bool = False

    def allows(self, model: str) -> bool:
        """Return whether the plan and the key allow a model."""
        return self.usage_plan.allows(model, self.key_models)

    @property
    def subject(self) -> Subject:
        """The key, as the subject of its buckets and leases."""
        return Subject("key", self.account_id, self.slot)


def principal_of(
    holder: KeyHolder,
    plan: UsagePlan,
    claims: tuple[Claim, ...],
    give_backs: Claim | None = None,
    *,
    is_site_paused: bool = False,
) -> Principal:
    """Return the principal of a key in its plan."""
    return Principal(
        holder.api_key_id,
        holder.account_id,
        holder.slot,
        plan,
        claims,
        holder.expires_at,
        give_backs,
        key_expires_at=plan.key_expires_at(holder.created_at, holder.key_expires_at),
        is_paused=holder.is_paused,
        is_site_paused=is_site_paused,
        key_models=holder.allowed_models,
        limits_models=bool(plan.models or holder.allowed_models),
        limits_tokens=any(x.limit.measure is Measure.TOKENS for x in claims),
        limits_cost=any(x.limit.measure is Measure.COST for x in claims),
    )


def check_usable(principal: Principal, clock: Clock) -> None:
    """Raise GatewayError for a key that has expired (401) or that is paused (403)."""
    at = principal.key_expires_at
    if at is not None and at <= clock():
        message = f"This API key expired at {iso_utc(at)}. Create a new one on the keys page."
        raise GatewayError(401, "api_key_expired", message)
    if principal.is_paused:
        message = "This API key is paused. Resume it on this site's keys page."
        raise GatewayError(403, "api_key_paused", message)


def check_site_open(principal: Principal) -> None:
    """Raise GatewayError 403 while an operator has paused the site."""
    if principal.is_site_paused:
        message = (
            "The operator of this site has paused it. Your key and its limits stay as they are: "
            "try again later, or ask the operator."
        )
        no_retry = [(b"x-should-retry", b"false")]
        raise GatewayError(403, "site_paused", message, headers=no_retry, uncounted=True)
