"""Mail delivery to the operator's SMTP server, with a connection and a thread per mail."""

import asyncio
import contextlib
import re
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from daypass.config.settings import Settings
from daypass.config.sign_in import SMTP_PORTS
from daypass.domain.emails import parse_email
from daypass.portal.email_templates import Letter

TIMEOUT_S = 10
"""Timeout in seconds for each step of the SMTP dialogue."""
AT_ONCE = 4

NO_SMTPUTF8 = (
    "The mail server does not accept international characters before the @ of an address (it lacks "
    "SMTPUTF8)."
)

_LINK = re.compile(r"\S*(?:://|token=)\S*")
_SIGN_IN_REPLIES = (530, 534, 535, 538)
"""Replies about authentication, not about the mail (RFC 4954, 6)."""


class DeliveryError(Exception):
    """A mail could not be delivered. The message is meant for operators.

    `permanent` means that another attempt would fail in the same way.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Mailer:
    """Delivers mails to the SMTP server of the settings."""

    url: str = field(repr=False)
    """`smtps://` (implicit TLS), `smtp+starttls://` (required STARTTLS) or `smtp://` (no TLS)."""
    sender: str
    site: str
    """The site's URL, the prefix of all links."""
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(AT_ONCE, thread_name_prefix="mail")
    )

    async def send(self, mail_id: str, recipient: str, letter: Letter) -> None:
        """Deliver a mail with a Message-ID derived from `mail_id`. Raises DeliveryError."""
        try:
            message = self._compose(mail_id, recipient, letter)
        except ValueError as error:
            raise DeliveryError(f"The mail cannot be composed: {error}", permanent=True) from None
        await asyncio.get_running_loop().run_in_executor(self._threads, self._deliver, message)

    async def check(self) -> None:
        """Sign in to the SMTP server and quit. Raises OSError or smtplib.SMTPException."""
        await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: self._connect().quit()
        )

    def _compose(self, mail_id: str, recipient: str, letter: Letter) -> EmailMessage:
        """Return the message. Raises ValueError for a line break in a header."""
        sender = in_ascii(self.sender)
        message = EmailMessage()
        message["From"] = str(Address(letter.sender or "", addr_spec=sender))
        message["To"] = in_ascii(recipient)
        message["Subject"] = letter.subject
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
        # Automatic replies must not answer it (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message

    def _deliver(self, message: EmailMessage) -> None:
        try:
            connection = self._connect()
        except smtplib.SMTPAuthenticationError as error:
            reason = f"The mail server refused the user name or the password ({error.smtp_code})."
            raise DeliveryError(reason) from None
        except smtplib.SMTPResponseException as error:
            reason = f"The mail server is not accepting mail at the moment ({error.smtp_code})."
            raise DeliveryError(reason) from None
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(_why_unreachable(error)) from None
        try:
            connection.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise _refusal(error) from None
        finally:
            # The mail has been accepted or refused by now, so the reply to QUIT is irrelevant.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

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


def in_ascii(address: str) -> str:
    """Return an address with its domain in ASCII (IDNA), which every mail server accepts.

    An address with international characters before the @ has no ASCII form and is returned
    normalised only (RFC 6531). Raises ValueError for an invalid address.
    """
    checked = parse_email(address)
    return checked.ascii_email or checked.normalized


def open_mailer(settings: Settings) -> Mailer | None:
    """Return the mailer of the settings, or None if they name no SMTP server."""
    if settings.smtp_url is None or settings.mail_from is None or settings.public_url is None:
        return None
    return Mailer(settings.smtp_url.get_secret_value(), settings.mail_from, settings.public_url)


def _why_unreachable(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, ssl.SSLError):
        return (
            f"The TLS connection to the mail server failed ({error.reason or 'no reason given'})."
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return (
            "The mail server does not offer what DAYPASS_SMTP_URL asks for (STARTTLS, a sign-in)."
        )
    if isinstance(error, smtplib.SMTPException):
        return "The mail server closed the connection."
    if isinstance(error, TimeoutError):
        return "The mail server did not answer in time."
    return f"The mail server cannot be reached ({error.strerror or type(error).__name__})."


def _refusal(error: OSError | smtplib.SMTPException) -> DeliveryError:
    """Return the error for a mail that the server refused after the connection was set up."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return DeliveryError(NO_SMTPUTF8, permanent=True)
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        return DeliveryError(_why_unreachable(error))
    # A server may quote the mail, including its link.
    quoted = text if isinstance(text, str) else text.decode(errors="replace")
    quoted = _LINK.sub("[link]", " ".join(quoted.split()))[:200]
    permanent = code >= 500 and code not in _SIGN_IN_REPLIES
    verdict = "refused the mail" if permanent else "cannot accept the mail at the moment"
    return DeliveryError(f"The mail server {verdict}: {code} {quoted}", permanent=permanent)
