"""Fail-overs with three real sentinels are followed in time, and no unit is granted twice."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from daypass.quota.ledger import Claim, LedgerUnavailableError, Reservation
from daypass.quota.redis.ledger import RedisLedger
from tests.quota.stores import Notebook, admit, claims_of, per_day, race, used
from tests.support.sentinels import Secured, Sentinels
from tests.support.tls import Authority
from tests.support.waiting import BUSY_S

FOLLOWED_S = 3
"""The ledger must decide again within these seconds after the sentinels have agreed."""


Open = Callable[..., Awaitable[RedisLedger]]


@pytest.fixture
async def opened(sentinels: Sentinels) -> AsyncIterator[Open]:
    """A function that opens ledgers with shared usage records."""
    ledgers: list[RedisLedger] = []
    notebook = Notebook()

    async def open_one(**options: int) -> RedisLedger:
        ledger = RedisLedger(sentinels.url, notebook, **options)
        await ledger.start()
        ledgers.append(ledger)
        return ledger

    open_one.notebook = notebook  # type: ignore[attr-defined]
    yield open_one
    for ledger in ledgers:
        await ledger.close()


class Callers:
    """Clients that call continuously on several ledgers and record their usage at once."""

    def __init__(self, ledgers: list[RedisLedger], notebook: Notebook, limit: int) -> None:
        self.claims = claims_of(per_day(limit), ceiling=limit)
        self.admitted = 0
        self.served_at = 0.0
        self._notebook = notebook
        self._tasks = [asyncio.create_task(self._call(ledger)) for ledger in ledgers]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _call(self, ledger: RedisLedger) -> None:
        while True:
            with contextlib.suppress(LedgerUnavailableError):
                outcome = await ledger.reserve(self.claims)
                if isinstance(outcome, Reservation):
                    self.admitted += 1
                    self.served_at = time.monotonic()
                    record(self._notebook, outcome)
            await asyncio.sleep(0.01)


def record(notebook: Notebook, outcome: Reservation) -> None:
    day = int(outcome.at) // 86_400 * 86_400
    notebook.units.update((x.claim.name, day) for x in outcome.buckets)


async def admit_in_the_end(ledger: RedisLedger, claims: tuple[Claim, ...]) -> None:
    """Admit one call. If a replica confirms too late on a busy machine, nothing is taken."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(LedgerUnavailableError):
                await admit(ledger, claims)
                return


async def until_served_after(callers: Callers, moment: float) -> float:
    """Wait for a call that was decided after `moment`; return when it was served."""
    async with asyncio.timeout(30):
        while callers.served_at <= moment:
            await asyncio.sleep(0.01)
    return callers.served_at


@pytest.mark.parametrize("how", ["planned", "killed", "hanging"])
async def test_a_fail_over_neither_loses_nor_duplicates_units(
    sentinels: Sentinels, opened: Open, how: str
) -> None:
    ledgers = [await opened() for _ in range(2)]
    callers = Callers(ledgers, opened.notebook, 10_000)  # type: ignore[attr-defined]
    await until_served_after(callers, 0)
    old = sentinels.master
    if how == "planned":
        await asyncio.to_thread(sentinels.fail_over)
    else:
        old.kill() if how == "killed" else old.stop()
        await asyncio.to_thread(sentinels.await_another_than, old.port)
    agreed = time.monotonic()
    # Units taken on the old server after the fail-over would be lost.
    served = await until_served_after(callers, agreed + 0.5)
    assert served - agreed < FOLLOWED_S + BUSY_S
    await callers.stop()
    # An interrupted call is given back with the ledger's next one.
    for ledger in ledgers:
        await used(ledger, callers.claims)
    for ledger in ledgers:
        assert await used(ledger, callers.claims) == [callers.admitted] * 2
    if how == "hanging":
        old.resume()
    before = callers.admitted
    for ledger in ledgers:
        record(opened.notebook, await admit(ledger, callers.claims))  # type: ignore[attr-defined]
    with sentinels.master.client() as client:
        stored = client.hget("daypass:{ann}", "account:ann requests/day")
    assert int(stored.split()[1]) == before + 2


async def test_units_missing_on_a_promoted_replica_are_not_granted_again(
    sentinels: Sentinels, opened: Open
) -> None:
    ledger = await opened()
    claims = claims_of(per_day(100), ceiling=100, site=1000)
    early = await admit(ledger, claims)
    record(opened.notebook, early)  # type: ignore[attr-defined]
    for _ in range(9):
        record(opened.notebook, await admit(ledger, claims))  # type: ignore[attr-defined]
    old = sentinels.master
    sentinels.let_the_replica_lag()
    late = await admit(ledger, claims)
    record(opened.notebook, late)  # type: ignore[attr-defined]
    for _ in range(79):
        record(opened.notebook, await admit(ledger, claims))  # type: ignore[attr-defined]
    old.kill()
    await asyncio.to_thread(sentinels.await_another_than, old.port)
    with capture_logs() as logs:
        assert await asyncio.wait_for(race([ledger], claims, 20), FOLLOWED_S + BUSY_S) == 10
    assert await used(ledger, claims) == [100, 100, 100]
    lost = {x["subject"]: x["units"] for x in logs if x["event"] == "counters_rolled_back"}
    assert lost["ann"] == 80
    assert lost["site"] > 0  # More units of the site had been leased than spent.
    # Earlier reservations may still fail, and are then given back once.
    assert await ledger.release(early)
    assert await ledger.release(late)
    assert await race([ledger], claims, 5) == 2


async def test_unreachable_sentinels_are_tolerated_while_the_server_answers(
    sentinels: Sentinels, opened: Open
) -> None:
    ledger = await opened()
    claims = claims_of(per_day(100))
    await admit(ledger, claims)
    for sentinel in sentinels.sentinels:
        sentinel.stop()
    for _ in range(3):
        await asyncio.wait_for(admit(ledger, claims), 1 + BUSY_S)
        await asyncio.sleep(0.5)  # Sentinels are polled every second.
    # Without a connection, the current master is unknown.
    with sentinels.servers[0].client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    began = time.monotonic()
    with pytest.raises(LedgerUnavailableError, match="sentinel"):
        await ledger.reserve(claims)
    assert time.monotonic() - began < 2 + BUSY_S
    # One sentinel is enough.
    sentinels.sentinels[1].resume()
    await admit(ledger, claims)
    assert await used(ledger, claims) == [5]
    # Once all are back, a fail-over is followed. (Resumed, they would be idle for 30 seconds.)
    for sentinel in sentinels.sentinels:
        sentinel.kill()
        await asyncio.to_thread(sentinel.start)
    await asyncio.to_thread(sentinels.fail_over)
    await admit_in_the_end(ledger, claims)
    assert await used(ledger, claims) == [6]


async def test_wait_replicas_refuses_decisions_that_are_not_replicated(
    sentinels: Sentinels, opened: Open
) -> None:
    ledger = await opened(wait_replicas=1)
    claims = claims_of(per_day(10), ceiling=10)
    await admit_in_the_end(ledger, claims)
    replica = sentinels.replica
    with replica.client() as client:
        assert client.hget("daypass:{ann}", "account:ann requests/day").split()[1] == b"1"
    replica.stop()
    began = time.monotonic()
    with pytest.raises(LedgerUnavailableError, match="replicas"):
        await ledger.reserve(claims)
    assert time.monotonic() - began < 2 + BUSY_S
    assert await used(ledger, claims) == [1, 1]  # A read does not wait for replicas.
    replica.resume()
    await admit_in_the_end(ledger, claims)
    assert await used(ledger, claims) == [2, 2]


async def test_servers_and_sentinels_with_tls_and_passwords_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    bundle = authority.trusted["SSL_CERT_FILE"]
    monkeypatch.setenv("SSL_CERT_FILE", bundle)
    secured = Secured(
        "of-the-servers", "of-the-sentinels", authority.certify("127.0.0.1"), Path(bundle)
    )
    sentinels = Sentinels(secured)
    claims = claims_of(per_day(10), ceiling=10)
    try:
        sentinels.start()
        ledger = RedisLedger(sentinels.url, Notebook())
        await ledger.start()
        await admit(ledger, claims)
        await asyncio.to_thread(sentinels.fail_over)
        await admit_in_the_end(ledger, claims)
        assert await used(ledger, claims) == [2, 2]
        await ledger.close()
        wrong = sentinels.url.replace("sentinel_password=of", "sentinel_password=not-of")
        with pytest.raises(LedgerUnavailableError, match="no sentinel answers"):
            await RedisLedger(wrong, Notebook()).start()
    finally:
        sentinels.remove()
