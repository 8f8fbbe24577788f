"""A transactional outbox: mails are stored with the change that causes them and sent later.

Every process sends mails in a background task and claims each with a lease in the database. If a
process dies while sending, another one takes over when the lease ends. A mail can therefore arrive
twice, with the same Message-ID, but is never lost.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Literal

import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.background import end, wait_at_most
from daypass.config.settings import Settings
from daypass.domain.times import Clock
from daypass.observability.safe_errors import error_location
from daypass.portal import email_templates
from daypass.portal.email_templates import Letter, Site
from daypass.portal.mailer import AT_ONCE, TIMEOUT_S, DeliveryError, Mailer, open_mailer
from daypass.portal.signer import Signer
from daypass.records import accounts, outbox, sign_ups, site_settings
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.identifiers import digest
from daypass.records.tables import Account, Mail

POLL_S = 2.0
"""Interval in seconds between checks for retries and for mails added by other processes."""
RESET_LIFETIME_S = 1800

Kind = Literal["sign-up", "has-account", "address", "password-reset", "reset-link"]

log = structlog.get_logger()


class Outbox:
    """The queue of mails, and the task that sends them."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        mailer: Mailer,
        signer: Signer,
        clock: Clock,
    ) -> None:
        """`clock` gives Unix time in seconds."""
        self._settings = settings
        self._database = database
        self._mailer = mailer
        self._signer = signer
        self._clock = clock
        self._added = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._closing = False

    async def add(
        self, session: AsyncSession, kind: Kind, recipient: str, account_id: str | None = None
    ) -> None:
        """Add a mail in the transaction that causes it. It is sent after the commit."""
        await outbox.add(session, kind, recipient, account_id, int(self._clock()))
        event.listen(session.sync_session, "after_commit", self.wake, once=True)

    def start(self) -> None:
        """Start sending in the background."""
        self._watch = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop, waiting up to `TIMEOUT_S` seconds for mails that are being sent."""
        self._closing = True
        self.wake()
        if self._watch is not None:
            await self._watch
        if self._sending:
            _, unfinished = await asyncio.wait(self._sending, timeout=TIMEOUT_S)
            await end(unfinished)

    def wake(self, _event: object = None) -> None:
        """Check for due mails now."""
        self._added.set()

    async def _run(self) -> None:
        while not self._closing:
            self._added.clear()
            try:
                await self._send_due()
            except DatabaseUnavailableError as error:
                log.warning("outbox_read_failed", reason=str(error))
            except Exception as error:  # No failure may stop the sending of mails.
                log.error("outbox_read_failed", reason=error_location(error))
            await wait_at_most(POLL_S, self._added)

    async def _send_due(self) -> None:
        """Claim and send due mails while a thread is free."""
        while len(self._sending) < AT_ONCE and not self._closing:
            now = int(self._clock())
            # A read does not wait for writers, and most of the time nothing is due.
            async with self._database.read() as session:
                if not await outbox.has_due(session, now):
                    return
            async with self._database.write() as session:
                await outbox.prune(session, now)
                mail = await outbox.claim(session, now)
            if mail is not None:
                self._begin(self._send(mail))

    def _begin(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        task.add_done_callback(self.wake)

    async def _send(self, mail: Mail) -> None:
        """Send one mail and record the result."""
        try:
            letter = await self._write(mail)
            if letter is not None:
                await self._mailer.send(mail.id, mail.recipient, letter)
            async with self._database.write() as session:
                await outbox.remove_claimed(session, mail)
        except DeliveryError as error:
            await self._record_failure(mail, error)
        except DatabaseUnavailableError as error:
            # It is sent again when the lease ends.
            log.warning("mail_result_not_saved", kind=mail.kind, reason=str(error))
        except Exception as error:  # A bug in Daypass must not lose the mail.
            log.error("mail_internal_error", kind=mail.kind, reason=error_location(error))
            await self._record_failure(
                mail, DeliveryError("Daypass failed to send this mail: see its log.")
            )

    async def _record_failure(self, mail: Mail, error: DeliveryError) -> None:
        # Do not log the reason: it may contain the recipient's address.
        log.warning("mail_failed", kind=mail.kind, mail_id=mail.id, permanent=error.permanent)
        try:
            async with self._database.write() as session:
                if error.permanent:
                    await outbox.give_up(session, mail, error.reason)
                else:
                    await outbox.postpone(session, mail, error.reason, int(self._clock()))
        except DatabaseUnavailableError as failure:
            log.warning("mail_result_not_saved", kind=mail.kind, reason=str(failure))

    async def _write(self, mail: Mail) -> Letter | None:
        """Return the text with a newly signed link, or None if the mail is no longer needed."""
        async with self._database.read() as session:
            in_force = await site_settings.read(session, self._settings)
            site = Site(self._mailer.site, in_force.site_name)
            if mail.kind == "has-account":
                return email_templates.has_account(site)
            if mail.kind == "sign-up":
                waiting = await sign_ups.pending(session, mail.recipient, int(self._clock()))
                token = self.sign_up_token(mail.recipient)
                return email_templates.confirm_sign_up(site, token) if waiting else None
            account = await accounts.find(session, mail.about or "")
        if account is None or account.email != mail.recipient or account.disabled_at is not None:
            return None
        return self._write_about(account, mail.kind, site)

    def _write_about(self, account: Account, kind: str, site: Site) -> Letter | None:
        if kind == "password-reset":
            token = self.reset_token(account)
            return email_templates.reset_password(site, token, is_confirmed=account.email_confirmed)
        if kind == "reset-link":
            return email_templates.reset_link_created(site)
        if account.email_confirmed:
            return None
        return email_templates.confirm_address(site, self.address_token(account))

    def sign_up_token(self, email: str) -> str:
        """Return a token that lets the owner of a mailbox create an account."""
        return self._signer.sign("sign-up", email, sign_ups.LINK_LIFETIME_S)

    def address_token(self, account: Account) -> str:
        """Return a token that confirms an account's address."""
        content = [account.id, account.email]
        return self._signer.sign("address", content, sign_ups.LINK_LIFETIME_S)

    def reset_token(self, account: Account) -> str:
        """Return a token that lets the owner of an account's mailbox choose a new password.

        It includes a digest of the password hash, so a password change invalidates the link.
        """
        content = [account.id, digest(account.password_hash)]
        return self._signer.sign("password reset", content, RESET_LIFETIME_S)


@contextlib.asynccontextmanager
async def open_outbox(
    settings: Settings, database: Database, signer: Signer, clock: Clock
) -> AsyncIterator[Outbox | None]:
    """Run the outbox in the background. Yields None if the settings name no SMTP server."""
    mailer = open_mailer(settings)
    if mailer is None:
        yield None
        return
    sender = Outbox(settings, database, mailer, signer, clock)
    sender.start()
    try:
        yield sender
    finally:
        await sender.close()
