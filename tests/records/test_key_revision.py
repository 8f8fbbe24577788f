"""Changes that must make every process reload its keys, and changes that must not."""

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.key_format import mint
from daypass.records import accounts, api_keys, site_settings
from daypass.records.database import Database
from daypass.records.key_holders import key_revision
from daypass.records.tables import ApiKey

NOW = 1_795_564_800


async def add_key(session: AsyncSession, account_id: str) -> ApiKey:
    return await api_keys.create(
        session, account_id, mint(), name="laptop", usage_plan_id="x", max_keys=2, now=NOW
    )


async def rises(database: Database, key: ApiKey, change: str) -> bool:
    async def apply(session: AsyncSession) -> None:
        mine = await api_keys.find_any(session, key.id)
        assert mine is not None
        match change:
            case "rotate":
                await api_keys.rotate(session, mine, mint(), NOW + 60, NOW)
            case "rotate at once":
                await api_keys.rotate(session, mine, mint(), None, NOW)
            case "move":
                mine.usage_plan_id = "another"
            case "rename":
                mine.name = "another"
            case "use":
                await api_keys.note_use(session, {key.id: NOW})
            case "disable":
                await accounts.set_disabled(session, mine.account_id, NOW)
            case "add another":
                await add_key(session, mine.account_id)
            case "set a setting" | "change a setting":
                await site_settings.change(session, {"sign_up": change}, NOW)
            case "restore a default":
                await site_settings.change(session, {"sign_up": None}, NOW)
            case "delete":
                await api_keys.remove(session, mine, NOW)

    async with database.read() as session:
        before = await key_revision(session)
    async with database.write() as session:
        await apply(session)
    async with database.read() as session:
        return await key_revision(session) > before


async def test_a_change_to_the_rights_of_a_key_raises_the_revision(database: Database) -> None:
    async with database.write() as session:
        account = await accounts.create(session, "a@example.org", "hash", NOW)
        key = await add_key(session, account.id)
    # Another key's plan can raise the account's ceiling. Settings of the site are ceilings too.
    settings = ("set a setting", "change a setting", "restore a default")
    for change in ("rotate", "rotate at once", "move", "add another", "disable", *settings):
        assert await rises(database, key, change), change
    for change in ("rename", "use"):
        assert not await rises(database, key, change), change
    assert await rises(database, key, "delete")
