"""Queries on the site's logo."""

from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.logo import Logo
from daypass.records.database import insert_into
from daypass.records.tables import SiteLogo

ID = 1


class LogoFacts(NamedTuple):
    """What pages need to know about the logo: everything but the image itself."""

    digest: str
    media_type: str
    width: float
    height: float


async def facts(session: AsyncSession) -> LogoFacts | None:
    """Return the facts about the logo, or None if the site has none."""
    row = (
        await session.execute(
            select(SiteLogo.digest, SiteLogo.media_type, SiteLogo.width, SiteLogo.height)
        )
    ).one_or_none()
    return row and LogoFacts(*row)


async def find(session: AsyncSession) -> Logo | None:
    """Return the logo, or None if the site has none."""
    row = await session.get(SiteLogo, ID)
    if row is None:
        return None
    return Logo(row.media_type, row.content, row.width, row.height)


async def replace(session: AsyncSession, logo: Logo) -> None:
    """Store a logo instead of the present one."""
    new = {
        "digest": logo.digest,
        "media_type": logo.media_type,
        "width": logo.width,
        "height": logo.height,
        "content": logo.content,
    }
    insert = insert_into(session, SiteLogo).values(id=ID, **new)
    await session.execute(insert.on_conflict_do_update(index_elements=["id"], set_=new))


async def remove(session: AsyncSession) -> bool:
    """Remove the logo. Return False if there is none."""
    return await session.scalar(delete(SiteLogo).returning(SiteLogo.id)) is not None
