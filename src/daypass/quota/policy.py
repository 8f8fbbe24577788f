"""From a key, its account and its usage plan to the claims that a request makes."""

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
    """Whether an account may use in a day what the largest plan on offer or of its keys may."""

    @classmethod
    def of(
        cls, plans: Sequence[UsagePlan], account_ceiling: int | None, site_ceiling: int | None
    ) -> "QuotaPolicy":
        """A policy of these plans, by id."""
        return cls({plan.id: plan for plan in plans}, account_ceiling, site_ceiling)

    def with_plans(self, more: Sequence[UsagePlan]) -> "QuotaPolicy":
        """The policy with more plans. Those that it has already stay as they are."""
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
        """The claims of one request by the key in an account's `slot`.

        A key counts under its slot, not its own id: whoever takes the slot of a deleted key
        takes over what that key used, so recreating a key resets nothing. `plan_ids` are the
        usage plans of all of the account's keys.
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
        """The claim on what an account's keys may use together in a day, if that is limited.

        `plan_ids` are the usage plans of its keys.
        """
        ceiling = self._account_ceiling(plan_ids)
        if ceiling is None:
            return None
        return Claim(Subject("account", account_id), _per_day(ceiling))

    def _account_ceiling(self, plan_ids: Collection[str]) -> int | None:
        """Requests per day of an account; None: no ceiling.

        The default never lies below the plan of a key: an operator may have given the key a larger
        plan than people can choose.
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

        Ten times the account's daily limit, at least 100: without a cap, a caller who can
        provoke failures would call the upstream without end. The account's ceiling is its daily
        limit; without one it is its key's, and without that one the site's.
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
        """The claim on what everybody may use together in a day, if that is limited."""
        if self.site_daily_ceiling is None:
            return None
        return Claim(SITE, _per_day(self.site_daily_ceiling))


def _per_day(amount: int) -> Limit:
    return Limit(Measure.REQUESTS, amount, Window.DAY)
