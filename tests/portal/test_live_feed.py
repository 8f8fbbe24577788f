"""The feed of recent requests, which reads receipts that any process has written."""

from collections.abc import AsyncIterator

import orjson
import pytest

from daypass.domain.key_format import mint
from daypass.portal import live_feed
from daypass.portal.live_feed import KEPT, LISTENERS_MAX, LiveEvent, LiveFeed, Position
from daypass.records import accounts, api_keys, receipts
from daypass.records.database import Database
from daypass.records.receipts import Receipt
from daypass.records.schema import upgrade

BEGINNING = Position.read(None)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await upgrade(database_url)
    database = Database(database_url)
    yield database
    await database.close()


async def write(
    database: Database, *request_ids: str, key: str = "key_1", account: str = "acc_1"
) -> None:
    """Write receipts as a process does: several of one account together."""
    batch = [
        Receipt(x, 5, key, "m", "api", 200, "counted", "", 1, (1, 9, 9), (1, 7, 3), 120)
        for x in request_ids
    ]
    async with database.write() as session:
        await receipts.add(session, {account: batch})


def ids(events: list[LiveEvent]) -> list[str]:
    return [event.position.request_id for event in events]


async def test_live_requests_arrive_once_with_key_and_owner(database: Database) -> None:
    async with database.write() as session:
        ada = await accounts.create(session, "ada@example.org", "hash", 1)
        key = await api_keys.create(
            session, ada.id, mint(), name="laptop", usage_plan_id="lab", max_keys=1, now=1
        )
    await write(database, "a", key=key.id)
    feed = LiveFeed(database)
    async with feed.listen(BEGINNING) as listener:
        (first,) = await listener.next(5)
        shown = orjson.loads(first.data)
        assert (shown["email"], shown["api_key_name"]) == ("ada@example.org", "laptop")
        assert (shown["usage_plan_id"], shown["model"], shown["status"]) == ("lab", "m", 200)
        assert (shown["tokens"], shown["cost"], shown["duration_ms"]) == (7, 3, 120)
        await write(database, "b", "c")
        assert ids(await listener.next(5)) == ["b", "c"]
        # The batch is written again with one more: the answer to its commit was lost.
        await write(database, "b", "c", "d")
        assert ids(await listener.next(5)) == ["d"]
        assert orjson.loads((await _last(feed)).data)["email"] is None


async def _last(feed: LiveFeed) -> LiveEvent:
    async with feed.listen(BEGINNING) as listener:
        return (await listener.next(5))[-1]


async def test_a_listener_resumes_at_its_position_on_any_process(
    database: Database,
) -> None:
    await write(database, "a")
    feed, other = LiveFeed(database), LiveFeed(database)
    async with feed.listen(BEGINNING) as listener:
        (event,) = await listener.next(5)
    last_event_id = event.encode().split(b"\n")[0].removeprefix(b"id: ").decode()
    await write(database, "b")
    async with other.listen(Position.read(last_event_id)) as listener:
        assert ids(await listener.next(5)) == ["b"]


async def test_the_live_feed_does_not_poll_without_listeners(database: Database) -> None:
    feed = LiveFeed(database)
    async with feed.listen(BEGINNING), feed.listen(BEGINNING):
        polling = feed._polling
        assert polling is not None
    assert polling.done()
    assert feed._polling is None


async def test_the_live_feed_is_bounded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = LiveFeed(database)
    for name in ("x", "y"):
        await write(database, *(f"{name}{number}" for number in range(KEPT - 100)), account=name)
    async with feed.listen(BEGINNING) as listener:
        assert len(await listener.next(5)) == KEPT
    monkeypatch.setattr(live_feed, "LISTENERS_MAX", 1)
    async with feed.listen(BEGINNING):
        assert not feed.has_room
        with pytest.raises(live_feed.TooManyListenersError):
            async with feed.listen(BEGINNING):
                pass
    assert feed.has_room
    assert LISTENERS_MAX >= 10


@pytest.mark.parametrize("text", [None, "", "1", "a:b:c", "-1:2:x", "1:2"])
def test_a_malformed_event_id_starts_from_the_beginning(text: str | None) -> None:
    assert Position.read(text) == BEGINNING
