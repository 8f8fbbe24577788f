"""The outbox: mails while the mail server fails, with a real server."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from daypass.config.settings import Settings
from daypass.portal.email_templates import Letter
from daypass.portal.mailer import NO_SMTPUTF8, DeliveryError, Mailer
from daypass.portal.outbox import Outbox
from daypass.portal.signer import Signer
from daypass.records import outbox, sign_ups
from daypass.records.database import Database
from daypass.records.schema import upgrade
from daypass.records.tables import Mail
from tests.conftest import serve_on, start_public
from tests.support.mailbox import SENDER, Mailbox, token_of
from tests.support.outputs import OUTPUTS
from tests.support.ports import free_port
from tests.support.waiting import until

SECRET_KEY = "planted-secret-key-of-the-outbox-0123456789"


class Clock:
    """Unix time that a test can advance."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database of each kind, with its tables."""
    await upgrade(database_url)
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def server() -> Iterator[Mailbox]:
    """A mail server of the test's own, which has not started."""
    mailbox = Mailbox()
    yield mailbox
    mailbox.stop()


@contextlib.asynccontextmanager
async def sending(database: Database, mailbox: Mailbox, clock: Clock) -> AsyncIterator[Outbox]:
    mailer = Mailer(mailbox.settings["DAYPASS_SMTP_URL"], SENDER, "http://site.example")
    sender = Outbox(Settings(), database, mailer, Signer((SECRET_KEY,), clock), clock)
    sender.start()
    yield sender
    await sender.close()


async def sign_up(database: Database, sender: Outbox, email: str) -> None:
    async with database.write() as session:
        await sign_ups.create(session, email, None, int(time.time()))
        await sender.add(session, "sign-up", email)


async def waits(database: Database) -> list[Mail]:
    async with database.read() as session:
        return list((await outbox.failed(session, 100))[0])


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def failure(database: Database) -> Mail:
    """Wait for the failed mail and return it."""
    deadline = time.monotonic() + 30
    while not (found := await waits(database)):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    (mail,) = found
    return mail


async def is_empty(database: Database) -> bool:
    async with database.read() as session:
        return not await outbox.has_due(session, 2**40)


async def test_a_mail_waits_until_the_server_is_reachable(
    database: Database, server: Mailbox
) -> None:
    clock = Clock()
    async with sending(database, server, clock) as sender:
        await sign_up(database, sender, "ada@example.org")
        mail = await failure(database)
        assert mail.error == "The mail server cannot be reached (Connection refused)."
        server.start()
        clock.ahead += 6
        sender.wake()
        await eventually(lambda: server.mails)
        (sent,) = server.mails
        assert sent["message-id"] == f"<{mail.id}@site.example>"
        # The link is signed when it is sent, and its lifetime starts then.
        token = token_of(sent)
        assert Signer((SECRET_KEY,), clock).read("sign-up", token) == "ada@example.org"
    assert await is_empty(database)


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("MAIL", "421 busy"),
        ("MAIL", "530 5.7.0 sign in first"),
        ("RCPT", "450 4.2.0 greylisted"),
        ("DATA", "451 4.3.0 a local error"),
    ],
)
async def test_a_temporary_mail_failure_is_retried(
    database: Database, server: Mailbox, step: str, reply: str
) -> None:
    server.start()
    server.replies[step] = reply
    clock = Clock()
    async with sending(database, server, clock) as sender:
        await sign_up(database, sender, "ada@example.org")
        mail = await failure(database)
        assert mail.error == f"The mail server cannot accept the mail at the moment: {reply}"
        assert mail.due_at is not None
        server.replies.clear()
        clock.ahead += 6
        sender.wake()
        await eventually(lambda: server.mails)
    assert [x["to"] for x in server.mails] == ["ada@example.org"]
    assert await is_empty(database)


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("RCPT", "550 5.1.1 no such user"),
        ("DATA", "554 5.7.1 the link http://site.example/confirm/#token=x is not liked"),
    ],
)
async def test_a_permanent_mail_failure_is_not_retried(
    database: Database, server: Mailbox, step: str, reply: str
) -> None:
    server.start()
    server.replies[step] = reply
    async with sending(database, server, Clock()) as sender:
        await sign_up(database, sender, "ada@example.org")
        mail = await failure(database)
    said = reply.replace("http://site.example/confirm/#token=x", "[link]")
    assert (mail.due_at, mail.attempts) == (None, 1)
    assert mail.error == f"The mail server refused the mail: {said}"


async def test_international_addresses_are_encoded_for_the_mail_server() -> None:
    for utf8, told in ((False, NO_SMTPUTF8), (True, None)):
        server = Mailbox(enable_SMTPUTF8=utf8)
        server.start()
        mailer = Mailer(server.settings["DAYPASS_SMTP_URL"], "daypass@bücher.example", "http://x")
        letter = Letter("Hello", "text")
        await mailer.send("mai_1", "ada@münchen.example", letter)
        assert server.recipients == ["ada@xn--mnchen-3ya.example"]
        (mail,) = server.mails
        assert mail["from"] == "daypass@xn--bcher-kva.example"
        try:
            await mailer.send("mai_2", "änne@münchen.example", letter)
            refused = None
        except DeliveryError as error:
            assert error.permanent
            refused = error.reason
        assert refused == told
        assert len(server.mails) == 1 + utf8
        server.stop()


async def test_several_processes_send_each_mail_once(database: Database, server: Mailbox) -> None:
    server.start()
    emails = [f"p{number}@example.org" for number in range(30)]
    clock = Clock()
    async with (
        sending(database, server, clock) as first,
        sending(database, server, clock) as second,
    ):
        for number, email in enumerate(emails):
            await sign_up(database, (first, second)[number % 2], email)
        await eventually(lambda: len(server.mails) >= len(emails))
    assert sorted(mail["to"] for mail in server.mails) == sorted(emails)
    assert await is_empty(database)


async def test_a_rolled_back_transaction_sends_no_mail(database: Database, server: Mailbox) -> None:
    server.start()
    async with sending(database, server, Clock()) as sender:
        with contextlib.suppress(LookupError):
            async with database.write() as session:
                await sender.add(session, "has-account", "ada@example.org")
                raise LookupError
        await sign_up(database, sender, "grace@example.org")
        await eventually(lambda: server.mails)
    assert [mail["to"] for mail in server.mails] == ["grace@example.org"]


async def test_stopping_waits_for_mail_being_sent(database: Database, server: Mailbox) -> None:
    server.start()
    server.holds = True
    async with sending(database, server, Clock()) as sender:
        await sign_up(database, sender, "ada@example.org")
        await eventually(lambda: server.mails)
        closing = asyncio.create_task(sender.close())
        await asyncio.sleep(0)
        assert not closing.done()
        server.holds = False
        await closing
    assert await is_empty(database)


def test_another_process_takes_over_the_mail_of_a_dead_sender(
    server: Mailbox, tmp_path: Path
) -> None:
    server.start()
    server.holds = True
    daypass = start_public(tmp_path, DAYPASS_SECRET_KEY=SECRET_KEY, **server.settings)
    signed_up = daypass.client().post("/api/accounts", json={"email": "ada@example.org"})
    assert signed_up.status_code == 202
    until(lambda: len(server.mails) == 1)
    daypass.process.send_signal(signal.SIGKILL)
    daypass.process.wait(10)
    server.holds = False
    # No file contains a link.
    OUTPUTS.plant(token_of(server.mails[0]))
    for path in daypass.data_dir.rglob("*"):
        assert not path.is_file() or b"token=" not in path.read_bytes()
    ahead = str(outbox.LEASE_S + 1)
    later = {"DAYPASS_TESTING": "1", "DAYPASS_CLOCK_OFFSET_S": ahead}
    after = serve_on(free_port(), tmp_path, (), daypass.settings | later)
    until(lambda: len(server.mails) == 2)
    after.stop()
    assert len({mail["message-id"] for mail in server.mails}) == 1
