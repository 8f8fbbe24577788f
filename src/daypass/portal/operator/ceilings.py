"""The ceilings of accounts and of the site, and the site's usage of its own."""

from typing import Literal

from pydantic import BaseModel

from daypass.config.site_settings import CEILING_WINDOWS
from daypass.domain.plans import Amounts, Measure, Window
from daypass.portal.context import Portal
from daypass.portal.times import Instant
from daypass.records import usage

_SUBJECTS: tuple[Literal["site", "account"], ...] = ("site", "account")


class Ceiling(BaseModel):
    """A limit of the whole site, or of all the keys of an account. `limit` is null if not set.

    `setting` is its name in the settings. `used` is what everybody has used in the current window,
    reserved amounts included; null for accounts, each of which has its own count. Costs are in
    micro-dollars.
    """

    setting: str
    subject: Literal["account", "site"]
    measure: Measure
    window: Window
    limit: int | None
    used: int | None
    resets_at: Instant


async def read_ceilings(portal: Portal) -> list[Ceiling]:
    """Return every ceiling, set or not. Raises LedgerUnavailableError.

    The ledger counts the ceilings that are set; the usage records know the rest.
    """
    now = portal.now()
    claims = (await portal.policy()).site_claims()
    counted = {
        (x.claim.limit.measure, x.claim.limit.window): x.used
        for x in await portal.ledger.peek(claims)
    }
    recorded = await _recorded(portal, now)
    limits = await _limits(portal)
    ceilings = []
    for subject in _SUBJECTS:
        for measure in Measure:
            for window in CEILING_WINDOWS:
                used = recorded[window][list(Measure).index(measure)]
                ceilings.append(
                    Ceiling(
                        setting=_setting(subject, measure, window),
                        subject=subject,
                        measure=measure,
                        window=window,
                        limit=limits[subject, measure, window],
                        used=counted.get((measure, window), used) if subject == "site" else None,
                        resets_at=window.end(window.start(now)),
                    )
                )
    return ceilings


async def _recorded(portal: Portal, now: int) -> dict[Window, Amounts]:
    async with portal.database.read() as session:
        return {
            window: await usage.site_since(session, window.start(now)) for window in CEILING_WINDOWS
        }


async def _limits(portal: Portal) -> dict[tuple[str, Measure, Window], int | None]:
    """Return the amounts. That of an account's daily requests may follow the plans on offer."""
    async with portal.database.read() as session:
        site = await portal.site_settings(session)
    limits: dict[tuple[str, Measure, Window], int | None] = {
        (subject, measure, window): getattr(site, _setting(subject, measure, window))
        for subject in _SUBJECTS
        for measure in Measure
        for window in CEILING_WINDOWS
    }
    ceiling = (await portal.policy()).account_daily_ceiling
    limits["account", Measure.REQUESTS, Window.DAY] = ceiling
    return limits


def _setting(subject: str, measure: Measure, window: Window) -> str:
    return f"{subject}_{measure.value}_per_{window.value}"
