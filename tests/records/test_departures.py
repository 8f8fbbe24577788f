"""What remains of a deleted person, and of expired records."""

from pathlib import Path

from sqlalchemy import text

from daypass.domain.key_format import mint
from daypass.domain.retention import Retention
from daypass.records import accounts, api_keys, audit, departures, invitations, receipts, usage
from daypass.records.database import Database
from daypass.records.receipts import Receipt
from daypass.records.schema import upgrade
from daypass.records.sweeper import sweep
from daypass.records.tables import Account
from daypass.records.usage import UsageRow, Use

DAY = 86_400
NOW = 20_000 * DAY
SECRET = "planted-secret-key-of-the-site-0123456789"
EMAIL = "ann@example.org"
TABLES = (
    "account", "api_key", "session", "identity", "sign_up", "mail", "usage_day", "usage_key_week",
    "usage_site_day", "receipt_batch", "audit_entry", "invitation", "departed_account",
)  # fmt: skip


async def contents(database: Database) -> str:
    async with database.read() as session:
        lines = [
            f"{table}: {tuple(row)}"
            for table in TABLES
            for row in await session.execute(text(f"SELECT * FROM {table}"))
        ]
    return "\n".join(lines)


async def fill(database: Database, email: str, at: int) -> Account:
    """Store data of a person in every table."""
    async with database.write(30) as session:
        account = await accounts.create(session, email, "hash", at)
        await accounts.open_session(session, account.id, at, 60)
        key = await api_keys.create(
            session, account.id, mint(), name="k", usage_plan_id="x", max_keys=1, now=at
        )
        await usage.add(session, {UsageRow(at, key.id, "m", "api"): Use(requests=4)})
        row = Receipt("req_1", at * 1000, key.id, "m", "api", 200, "counted", "", 1)
        await receipts.add(session, {account.id: [row]})
        audit.add(session, account, "account made operator", email, now=at)
        audit.add(session, account, "invitation created", f"For {email.upper()}.", now=at)
        _, token = await invitations.create(session, f"for {email}, and b{email}", at, DAY)
        await invitations.use(session, token, email, at)
    return account


async def test_a_deleted_person_leaves_totals_and_a_fingerprint(database: Database) -> None:
    account = await fill(database, EMAIL, NOW)
    async with database.write() as session:
        await departures.remove(session, account, SECRET, NOW)
    left = await contents(database)
    assert f"[deleted account], and b{EMAIL}" in left
    assert "For [deleted account]." in left
    assert EMAIL not in left.lower().replace(f"b{EMAIL}", "")
    assert {line.partition(":")[0] for line in left.splitlines()} == {
        "usage_site_day", "audit_entry", "invitation", "departed_account",
    }  # fmt: skip
    assert departures.fingerprint(SECRET, EMAIL) in left
    assert departures.fingerprint("another secret", EMAIL) not in left


async def test_a_mailbox_is_recognised_for_a_month(database: Database) -> None:
    account = await fill(database, EMAIL, NOW)
    async with database.write() as session:
        await departures.remove(session, account, SECRET, NOW)

    async def former_id(*secrets: str) -> str | None:
        async with database.read() as session:
            return await departures.former_id(session, "Ann+new@example.org", secrets)

    assert await former_id("new secret", SECRET) == account.id
    assert await former_id("new secret") is None
    await sweep(database, NOW + departures.KEPT_S, Retention())
    assert await former_id(SECRET) == account.id
    await sweep(database, NOW + departures.KEPT_S + 1, Retention())
    assert await former_id(SECRET) is None


async def test_receipts_and_audit_entries_are_deleted_after_their_retention(
    database: Database,
) -> None:
    await fill(database, EMAIL, NOW)
    retention = Retention(receipt_days=2, audit_days=3)
    for day, kept in ((2, "receipt_batch audit_entry"), (3, "audit_entry"), (4, "")):
        await sweep(database, NOW + day * DAY, retention)
        left = {line.partition(":")[0] for line in (await contents(database)).splitlines()}
        assert left & {"receipt_batch", "audit_entry"} == set(kept.split()), day


async def test_the_database_file_contains_nothing_of_a_deleted_person(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/daypass.db"
    await upgrade(url)
    database = Database(url)
    account = await fill(database, EMAIL, NOW)

    def files() -> bytes:
        return b"".join(x.read_bytes() for x in tmp_path.iterdir())

    await database.empty_log()
    assert EMAIL.encode() in files()
    async with database.write() as session:
        await departures.remove(session, account, SECRET, NOW)
    await sweep(database, NOW, Retention())
    assert EMAIL.encode() not in files().replace(b"b" + EMAIL.encode(), b"")
    await database.close()
