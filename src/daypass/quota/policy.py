"""From a key, its account and its usage plan to the claims that a request makes."""

from collections.abc import Sequence
from dataclasses import dataclass

from daypass.plans import Limit, Measure, UsagePlan, Window
from daypass.quota.ledger import Claim, Subject

SITE = Subject("site")


@dataclass(frozen=True, slots=True)
class QuotaPolicy:
    """The plans on offer and the ceilings above them (requests per day; None: none)."""

    plans: dict[str, UsagePlan]
    account_daily_ceiling: int | None = None
    site_daily_ceiling: int | None = None

    @classmethod
    def of(
        cls, plans: Sequence[UsagePlan], account_ceiling: int | None, site_ceiling: int | None
    ) -> "QuotaPolicy":
        """A policy of these plans, by id."""
        return cls({plan.id: plan for plan in plans}, account_ceiling, site_ceiling)

    def claims(self, account_id: str, slot: int, plan: UsagePlan) -> tuple[Claim, ...]:
        """The claims of one request by the key in an account's `slot`.

        A key counts under its slot, not its own id: whoever takes the slot of a deleted key
        takes over what that key used, so recreating a key resets nothing.
        """
        key = Subject("key", account_id, slot)
        claims = [Claim(key, limit) for limit in plan.limits]
        account = self.account_claim(account_id)
        if account is not None:
            claims.append(account)
        if self.site_daily_ceiling is not None:
            claims.append(Claim(SITE, _per_day(self.site_daily_ceiling)))
        return tuple(claims)

    def account_claim(self, account_id: str) -> Claim | None:
        """The claim on what an account's keys may use together in a day, if that is limited."""
        if self.account_daily_ceiling is None:
            return None
        return Claim(Subject("account", account_id), _per_day(self.account_daily_ceiling))


def _per_day(amount: int) -> Limit:
    return Limit(Measure.REQUESTS, amount, Window.DAY)
