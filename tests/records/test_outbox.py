"""The outbox on both databases."""

import asyncio

from daypass.records import outbox
from daypass.records.database import Database
from daypass.records.tables import Mail

NOW = 1_795_564_800


async def add(database: Database, recipient: str, kind: str = "sign-up", now: int = NOW) -> bool:
    async with database.write() as session:
        return await outbox.add(session, kind, recipient, None, now)


async def claim(database: Database, now: int = NOW) -> Mail | None:
    async with database.write() as session:
        return await outbox.claim(session, now)


async def shown(database: Database) -> list[tuple[str, int | None]]:
    async with database.read() as session:
        rows, total = await outbox.failed(session, 100)
    assert total == len(rows)
    return [(row.recipient, row.due_at) for row in rows]


async def test_a_mail_is_claimed_by_one_process(database: Database) -> None:
    for number in range(10):
        await add(database, f"p{number}@example.org")
    claimed = await asyncio.gather(*(claim(database) for _ in range(20)))
    recipients = [mail.recipient for mail in claimed if mail is not None]
    assert sorted(recipients) == [f"p{number}@example.org" for number in range(10)]
    async with database.read() as session:
        assert not await outbox.has_due(session, NOW)


async def test_a_claim_expires_with_its_lease(database: Database) -> None:
    await add(database, "a@example.org")
    first = await claim(database)
    assert first is not None
    assert await claim(database, NOW + outbox.LEASE_S - 1) is None
    second = await claim(database, NOW + outbox.LEASE_S)
    assert second is not None
    assert second.id == first.id
    # The previous claimant can no longer decide the outcome.
    async with database.write() as session:
        await outbox.remove_claimed(session, first)
        await outbox.give_up(session, first, "late")
    assert await shown(database) == []
    async with database.write() as session:
        await outbox.postpone(session, second, "down", NOW + outbox.LEASE_S)
    assert await shown(database) == [("a@example.org", NOW + outbox.LEASE_S + 10)]


async def test_mail_retries_back_off_and_end_after_a_day(database: Database) -> None:
    await add(database, "a@example.org")
    now, waits = NOW, []
    while True:
        mail = await claim(database, now)
        assert mail is not None
        async with database.write() as session:
            await outbox.postpone(session, mail, "down", now)
        ((_, due_at),) = await shown(database)
        if due_at is None:
            break
        waits.append(due_at - now)
        now = due_at
    assert waits[:4] == [5, 10, 20, 40]
    assert max(waits) == 3600
    assert 86_400 - 3600 <= now - NOW < 86_400


async def test_a_waiting_mail_is_not_queued_twice(database: Database) -> None:
    assert await add(database, "a@example.org")
    mail = await claim(database)
    assert mail is not None
    async with database.write() as session:
        await outbox.postpone(session, mail, "down", NOW)
    assert not await add(database, "A@example.org")
    assert await add(database, "a@example.org", kind="password-reset", now=NOW + 1)
    async with database.write() as session:
        await outbox.retry(session, mail.id, NOW)
        again = await outbox.claim(session, NOW)
        assert again is not None
        await outbox.give_up(session, again, "no such mailbox")
    # An abandoned mail allows a new one.
    assert await add(database, "a@example.org", kind=again.kind)
    assert await shown(database) == []


async def test_operators_can_retry_and_remove_failed_mails_only(database: Database) -> None:
    await add(database, "a@example.org")
    mail = await claim(database)
    assert mail is not None
    async with database.write() as session:
        # It is being sent: a second process must not send it too.
        assert await outbox.retry(session, mail.id, NOW) is None
        assert await outbox.remove(session, mail.id) is None
        await outbox.give_up(session, mail, "no such mailbox")
        assert await outbox.retry(session, mail.id, NOW + 1) is not None
    again = await claim(database, NOW + 1)
    assert again is not None
    async with database.write() as session:
        await outbox.give_up(session, again, "no such mailbox")
        await outbox.prune(session, NOW + outbox.KEPT_S - 1)
    assert await shown(database) == [("a@example.org", None)]
    async with database.write() as session:
        await outbox.prune(session, NOW + outbox.KEPT_S)
    assert await shown(database) == []
