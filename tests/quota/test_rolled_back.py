"""When Redis comes back with older counters, they are first compared with the records."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
import redis
from structlog.testing import capture_logs

from daypass.domain.plans import Window
from daypass.quota.ledger import LedgerUnavailableError
from daypass.quota.redis.ledger import RedisLedger
from daypass.quota.redis.recovery import TAKE_OVER_S
from tests.quota.stores import (
    DAY,
    NOON,
    Notebook,
    admit,
    burst,
    claims_of,
    per,
    per_day,
    race,
    refuse,
    used,
)
from tests.support.redis import Redis
from tests.support.waiting import BUSY_S

DAY_LIMIT = 50
TODAY = NOON - DAY // 2


@pytest.fixture
def server() -> Iterator[Redis]:
    """A server that retains only its last explicit save."""
    server = Redis(appendonly=False)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
async def ledger(server: Redis, notebook: Notebook) -> AsyncIterator[RedisLedger]:
    ledger = RedisLedger(server.url, notebook, NOON - time.time())
    await ledger.start()
    yield ledger
    await ledger.close()


def record(notebook: Notebook, units: int) -> None:
    """Write the day's units to the records, which have no hours."""
    key = "key:ann/1 requests/"
    for name, since in (
        (f"{key}day", TODAY),
        (f"{key}hour", NOON),
        (f"{key}burst", 0),
        ("account:ann requests/day", TODAY),
    ):
        notebook.units[name, since] = units


def save(server: Redis) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.save()


async def test_units_taken_since_the_last_save_count(
    server: Redis, ledger: RedisLedger, notebook: Notebook
) -> None:
    claims = claims_of(per_day(DAY_LIMIT), per(Window.HOUR, 45), burst(60, 1), ceiling=DAY_LIMIT)
    assert await race([ledger], claims, 10) == 10
    save(server)
    assert await race([ledger], claims, 30) == 30
    record(notebook, 40)
    server.kill()
    server.start()
    began = time.monotonic()
    with capture_logs() as logs:
        assert await race([ledger], claims, 3) == 3
    assert TAKE_OVER_S - 0.5 < time.monotonic() - began < TAKE_OVER_S + 0.5 + BUSY_S
    assert await used(ledger, claims) == [43, 43, 43, 43]
    # One log line for each loss, however many decisions waited for the records.
    events = [(x["event"], x["subject"], x["units"]) for x in logs]
    assert events == [("counters_rolled_back", "ann", 30)]
    assert await race([ledger], claims, 20) == 2
    assert notebook.questions == 2  # At the start, and once for the whole loss.


async def test_an_hours_limit_is_not_charged_the_whole_day_without_a_loss(
    server: Redis, ledger: RedisLedger, notebook: Notebook
) -> None:
    claims = claims_of(per_day(DAY_LIMIT), per(Window.HOUR, 5), burst(5, 1), ceiling=DAY_LIMIT)
    record(notebook, 30)
    assert await used(ledger, claims) == [30, 30, 5, 30]
    # As if the 30 had been used in earlier hours.
    with redis.Redis.from_url(server.url) as client:
        await refuse(ledger, claims)
        kept = client.hgetall("daypass:{ann}")
        for name in (b"key:ann/1 requests/hour", b"key:ann/1 requests/burst"):
            since, _, reign = kept[name].split()
            client.hset("daypass:{ann}", name, b"%b 0 %b" % (since, reign))
    save(server)
    server.kill()
    server.start()
    with capture_logs() as logs:
        await admit(ledger, claims)
    assert await used(ledger, claims) == [31, 1, 1, 31]
    assert logs == []


async def test_buckets_first_used_after_a_restart_are_compared_too(
    server: Redis, ledger: RedisLedger, notebook: Notebook
) -> None:
    first, second = (claims_of(per_day(10), slot=x, ceiling=30) for x in (1, 2))
    await admit(ledger, first)
    save(server)
    assert await race([ledger], second, 10) == 10
    notebook.units.update(
        {
            ("key:ann/1 requests/day", TODAY): 1,
            ("key:ann/2 requests/day", TODAY): 10,
            ("account:ann requests/day", TODAY): 11,
        }
    )
    server.kill()
    server.start()
    await admit(ledger, first)
    assert [x.used for x in (await refuse(ledger, second)).buckets] == [10, 12]


async def test_restored_counters_are_refused_without_the_records(
    server: Redis, ledger: RedisLedger, notebook: Notebook
) -> None:
    claims = claims_of(per_day(10))
    await admit(ledger, claims)
    save(server)
    server.kill()
    server.start()

    async def away(*_: object) -> list[int]:
        raise LedgerUnavailableError("the database does not answer")

    asked = notebook.used
    notebook.used = away  # type: ignore[assignment, method-assign]
    with pytest.raises(LedgerUnavailableError, match="database"):
        await ledger.reserve(claims)
    notebook.used = asked  # type: ignore[method-assign]
    await admit(ledger, claims)


async def test_a_later_process_does_not_query_the_records(
    server: Redis, ledger: RedisLedger, notebook: Notebook
) -> None:
    claims = claims_of(per_day(10), ceiling=20, site=100)
    await admit(ledger, claims)
    asked = notebook.questions
    other = RedisLedger(server.url, notebook, ledger.clock_offset_s)
    await other.start()
    await admit(other, claims)
    await other.close()
    assert notebook.questions == asked
