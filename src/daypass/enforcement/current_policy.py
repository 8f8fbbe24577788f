"""The plans and ceilings in force, for the gateway and the portal alike."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.settings import Settings
from daypass.domain.plans import DEFAULT_PLANS, largest_daily_requests
from daypass.quota.policy import QuotaPolicy
from daypass.records import site_settings, usage_plans


async def current_policy(session: AsyncSession, settings: Settings) -> QuotaPolicy:
    """Return the plans and ceilings in force. Plans in `daypass.toml` precede the site's own.

    Beside them, a built-in plan that was never edited is not on offer, but still applies to the
    keys that have it.
    """
    site = await site_settings.read(session, settings)
    plans = {plan.id: plan for plan in settings.configured_plans}
    for plan in await usage_plans.plans(session):
        is_hidden = bool(settings.plans) and plan in DEFAULT_PLANS
        plans.setdefault(plan.id, replace(plan, self_service=False) if is_hidden else plan)
    ceiling = site.account_requests_per_day
    follows_plans = ceiling is None
    return QuotaPolicy(
        plans,
        largest_daily_requests(plans.values()) if follows_plans else ceiling,
        account_limits=site.account_limits,
        site_limits=site.site_limits,
        ceiling_follows_plans=follows_plans,
        is_paused=site.paused,
    )
