"""Mail, sent by the operator's SMTP server, one thread a mail."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

import structlog

from daypass.faults import place_of
from daypass.portal.letters import Letter
from daypass.settings import Settings
from daypass.settings_sign_in import SMTP_PORTS

TIMEOUT_S = 10
AT_ONCE = 4
MOST_WAITING = 200

log = structlog.get_logger()


@dataclass(slots=True)
class Mailer:
    """Sends letters in the background, so that an answer takes as long with a mail as without."""

    url: str = field(repr=False)
    """`smtps://` (TLS at once), `smtp+starttls://` (TLS or nothing) or `smtp://` (none)."""
    sender: str
    site: str
    """The site's address, with which links begin."""
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def send(self, recipient: str, letter: Letter) -> None:
        """Send a letter soon. What goes wrong is in the log."""
        if len(self._sending) >= MOST_WAITING:
            log.error("mail_failed", reason="too many mails are waiting")
            return
        task = asyncio.create_task(self._deliver(recipient, letter))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def check(self) -> None:
        """Sign in to the SMTP server and leave. Raises OSError or smtplib.SMTPException."""
        await asyncio.to_thread(lambda: self._connect().quit())

    async def close(self) -> None:
        """Wait for what is being sent, for as long as one mail may take."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=TIMEOUT_S)

    def _compose(self, recipient: str, letter: Letter) -> EmailMessage:
        """The message. `EmailMessage` raises ValueError for a line break in a header."""
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = recipient
        message["Subject"] = letter.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        # No answering machine shall answer it (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message

    async def _deliver(self, recipient: str, letter: Letter) -> None:
        async with self._turns:
            try:
                await asyncio.to_thread(self._hand_over, self._compose(recipient, letter))
            except (OSError, smtplib.SMTPException, ValueError) as error:
                # Its words may hold the recipient's address.
                log.error("mail_failed", reason=place_of(error))

    def _hand_over(self, message: EmailMessage) -> None:
        with self._connect() as connection:
            connection.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or SMTP_PORTS[parts.scheme]
        tls = ssl.create_default_context()
        if parts.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=tls)
        else:
            connection = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        try:
            if parts.scheme == "smtp+starttls":
                connection.starttls(context=tls)
            if parts.username:
                connection.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            connection.close()
            raise
        return connection


def open_mailer(settings: Settings) -> Mailer | None:
    """The mailer of the settings; None where they name no SMTP server."""
    if settings.smtp_url is None or settings.mail_from is None or settings.public_url is None:
        return None
    return Mailer(settings.smtp_url.get_secret_value(), settings.mail_from, settings.public_url)
