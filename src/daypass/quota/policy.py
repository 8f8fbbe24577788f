"""The claims that a request makes, from its key, account and usage plan."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from daypass.domain.plans import Limit, Measure, UsagePlan, Window
from daypass.quota.ledger import Claim, Subject

SITE = Subject("site")
THROTTLES = (Window.MINUTE, Window.HOUR)
"""Windows that limit the speed of a key rather than what it may use."""
GIVE_BACKS_PER_UNIT = 10
LEAST_GIVE_BACKS = 100
GIVE_BACKS_WITHOUT_REQUESTS = 1_000
"""Where only tokens or cost are limited."""


@dataclass(frozen=True, slots=True)
class QuotaPolicy:
    """The plans on offer and the ceilings above them."""

    plans: dict[str, UsagePlan]
    account_daily_ceiling: int | None = None
    """Requests per day of an account; None: no ceiling."""
    account_limits: tuple[Limit, ...] = ()
    """The other ceilings of an account."""
    site_limits: tuple[Limit, ...] = ()
    ceiling_follows_plans: bool = False
    """Whether an account's daily ceiling is that of the largest plan on offer or of its keys."""
    is_paused: bool = False
    """Whether an operator has paused the site: no call is admitted."""

    @classmethod
    def of(
        cls, plans: Sequence[UsagePlan], account_ceiling: int | None, site_ceiling: int | None
    ) -> "QuotaPolicy":
        """Return a policy of these plans, with ceilings in requests per day."""
        site_limits = () if site_ceiling is None else (_per_day(site_ceiling),)
        return cls({plan.id: plan for plan in plans}, account_ceiling, site_limits=site_limits)

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
        claims += self.account_claims(account_id, {plan.id, *plan_ids})
        claims += self._shared_claims(account_id, plan, plan_ids)
        claims += self.site_claims()
        return tuple(claims)

    def account_claims(self, account_id: str, plan_ids: Collection[str]) -> list[Claim]:
        """Return the claims on the ceilings of an account, whose keys have these plans."""
        subject = Subject("account", account_id)
        ceiling = self._account_ceiling(plan_ids)
        limits = (
            self.account_limits if ceiling is None else (_per_day(ceiling), *self.account_limits)
        )
        return [Claim(subject, limit) for limit in limits]

    def _shared_claims(
        self, account_id: str, plan: UsagePlan, plan_ids: Collection[str]
    ) -> list[Claim]:
        """Return the claims on what an account's keys share by default, in tokens and cost.

        Several keys must not multiply a quota: together they may use what the largest of their
        plans allows, unless the settings have a ceiling of the same measure and window.
        """
        set_here = {(x.measure, x.window) for x in self.account_limits}
        plans = [plan, *(self.plans[x] for x in plan_ids if x in self.plans)]
        claims = []
        for limit in plan.limits:
            kind = (limit.measure, limit.window)
            if limit.measure is Measure.REQUESTS or limit.window in THROTTLES or kind in set_here:
                continue
            same = (x.amount for y in plans for x in y.limits if (x.measure, x.window) == kind)
            shared = Limit(limit.measure, max(same), limit.window)
            claims.append(Claim(Subject("account", account_id), shared))
        return claims

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
            self._site_daily_ceiling,
        ):
            if daily is not None:
                cap = max(LEAST_GIVE_BACKS, GIVE_BACKS_PER_UNIT * daily)
                return Claim(Subject("give_backs", account_id), _per_day(cap))
        limits = (*plan.limits, *self.account_limits, *self.site_limits)
        if limits:
            return Claim(Subject("give_backs", account_id), _per_day(GIVE_BACKS_WITHOUT_REQUESTS))
        return None

    def site_claims(self) -> list[Claim]:
        """Return the claims on the site's ceilings."""
        return [Claim(SITE, limit) for limit in self.site_limits]

    @property
    def _site_daily_ceiling(self) -> int | None:
        """Requests per day of the site; None: no ceiling."""
        return next((x.amount for x in self.site_limits if x.is_daily_requests), None)


def _per_day(amount: int) -> Limit:
    return Limit(Measure.REQUESTS, amount, Window.DAY)
