"""The claims that a request makes, from its key, account and usage plan."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from daypass.domain.plans import Limit, Measure, UsagePlan, Window, largest_daily_requests
from daypass.quota.ledger import Claim, Subject

SITE = Subject("site")
GIVE_BACKS_PER_UNIT = 10
LEAST_GIVE_BACKS = 100


@dataclass(frozen=True, slots=True)
class QuotaPolicy:
    """The plans on offer and the ceilings above them (requests per day; None: none)."""

    plans: dict[str, UsagePlan]
    account_daily_ceiling: int | None = None
    site_daily_ceiling: int | None = None
    ceiling_follows_plans: bool = False
    """Whether an account's daily ceiling is that of the largest plan on offer or of its keys."""

    @classmethod
    def of(
        cls, plans: Sequence[UsagePlan], account_ceiling: int | None, site_ceiling: int | None
    ) -> "QuotaPolicy":
        """Return a policy with these plans."""
        return cls({plan.id: plan for plan in plans}, account_ceiling, site_ceiling)

    def with_plans(self, more: Sequence[UsagePlan]) -> "QuotaPolicy":
        """Return the policy with more plans. Plans it already has are not replaced."""
        if not more:
            return self
        plans = self.plans | {plan.id: plan for plan in more if plan.id not in self.plans}
        ceiling = self.account_daily_ceiling
        if self.ceiling_follows_plans:
            ceiling = largest_daily_requests(plans.values())
        return replace(self, plans=plans, account_daily_ceiling=ceiling)

    def claims(
        self, account_id: str, slot: int, plan: UsagePlan, plan_ids: Collection[str] = ()
    ) -> tuple[Claim, ...]:
        """Return the claims of one request by the key in an account's `slot`.

        A key counts under its slot, not its id: a key created in the slot of a deleted one
        inherits its usage, so recreating a key resets nothing. `plan_ids` are the usage plans of
        all the account's keys.
        """
        key = Subject("key", account_id, slot)
        claims = [Claim(key, limit) for limit in plan.limits]
        account = self.account_claim(account_id, {plan.id, *plan_ids})
        if account is not None:
            claims.append(account)
        site = self.site_claim()
        if site is not None:
            claims.append(site)
        return tuple(claims)

    def account_claim(self, account_id: str, plan_ids: Collection[str]) -> Claim | None:
        """Return the claim on the account's daily ceiling, or None if it has none.

        `plan_ids` are the usage plans of its keys.
        """
        ceiling = self._account_ceiling(plan_ids)
        if ceiling is None:
            return None
        return Claim(Subject("account", account_id), _per_day(ceiling))

    def _account_ceiling(self, plan_ids: Collection[str]) -> int | None:
        """Return an account's requests per day; None if it has no ceiling.

        The default is never below the plan of one of its keys: an operator may have assigned a
        larger plan than users can choose.
        """
        ceiling = self.account_daily_ceiling
        if ceiling is None or not self.ceiling_follows_plans:
            return ceiling
        for plan in (self.plans[x] for x in plan_ids if x in self.plans):
            most = plan.most_requests_in_a_day
            if most is None:
                return None
            ceiling = max(ceiling, most)
        return ceiling

    def give_backs_claim(
        self, account_id: str, plan: UsagePlan, plan_ids: Collection[str] = ()
    ) -> Claim | None:
        """Return the claim on the account's give-backs of the day; None if nothing is limited.

        The cap is ten times the account's daily limit, at least 100. Without it, a client that
        can provoke failures could call the upstream without limit. The daily limit is the
        account's ceiling, else its key's limit, else the site's ceiling.
        """
        for daily in (
            self._account_ceiling({plan.id, *plan_ids}),
            plan.most_requests_in_a_day,
            self.site_daily_ceiling,
        ):
            if daily is not None:
                cap = max(LEAST_GIVE_BACKS, GIVE_BACKS_PER_UNIT * daily)
                return Claim(Subject("give_backs", account_id), _per_day(cap))
        return None

    def site_claim(self) -> Claim | None:
        """Return the claim on the site's daily ceiling, or None if there is none."""
        if self.site_daily_ceiling is None:
            return None
        return Claim(SITE, _per_day(self.site_daily_ceiling))


def _per_day(amount: int) -> Limit:
    return Limit(Measure.REQUESTS, amount, Window.DAY)
