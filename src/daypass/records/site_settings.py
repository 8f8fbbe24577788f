"""Queries on the settings that operators have set on the site."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.settings import Settings
from daypass.config.site_settings import SiteSettings
from daypass.records.database import insert_into
from daypass.records.tables import SiteSetting


async def lock(session: AsyncSession) -> None:
    """Prevent other transactions from changing settings until this one ends.

    SQLite needs no lock: it has a single writer.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("LOCK TABLE site_setting IN EXCLUSIVE MODE"))


async def stored(session: AsyncSession) -> dict[str, Any]:
    """Return the values set on the site, by name."""
    rows = await session.execute(select(SiteSetting.name, SiteSetting.value))
    return {row.name: row.value for row in rows}


async def read(session: AsyncSession, settings: Settings) -> SiteSettings:
    """Return the settings in force, as of the last commit."""
    return settings.site_settings(await stored(session))


async def change(session: AsyncSession, values: Mapping[str, Any], now: int) -> None:
    """Set values; None restores the default. `now` is Unix time in seconds."""
    for name in sorted(values):
        if values[name] is None:
            await session.execute(delete(SiteSetting).where(SiteSetting.name == name))
            continue
        new = {"value": values[name], "changed_at": now}
        insert = insert_into(session, SiteSetting).values(name=name, **new)
        await session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=new))
