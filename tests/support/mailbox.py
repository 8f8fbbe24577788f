"""A real SMTP server that stores the mail it receives."""

import asyncio
import email
import email.policy
import re
import time
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.support.ports import free_port

SENDER = "daypass@site.example"


class Mailbox:
    """An SMTP server on a free loopback port, in its own thread."""

    def __init__(self, **options: Any) -> None:
        """Pass `tls_context` to offer STARTTLS, `ssl_context` to use TLS from the start."""
        self.mails: list[EmailMessage] = []
        self.port = free_port()
        self.replies: dict[str, str] = {}
        """Its responses to MAIL, RCPT or DATA, if not 250."""
        self.holds = False
        """Whether it leaves mails unanswered; reset it to answer them."""
        self.recipients: list[str] = []
        """The addresses of every RCPT."""
        self.logins: list[tuple[bytes, bytes]] = []
        self._options = options
        self._controller: Controller | None = None

    @property
    def settings(self) -> dict[str, str]:
        return {"DAYPASS_SMTP_URL": f"smtp://127.0.0.1:{self.port}", "DAYPASS_MAIL_FROM": SENDER}

    def start(self) -> None:
        """Start accepting mails; also works after a stop."""
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            authenticator=self._authenticate,
            auth_require_tls=False,
            **self._options,
        )
        self._controller.start()

    def stop(self) -> None:
        """Refuse every connection."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def _authenticate(self, *args: Any) -> AuthResult:
        """Accept any credentials; authentication is optional."""
        self.logins.append((args[-1].login, args[-1].password))
        return AuthResult(success=True)

    async def handle_MAIL(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self.recipients.append(address)
        envelope.rcpt_tos.append(address)
        return self.replies.get("RCPT", "250 OK")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if "DATA" in self.replies:
            return self.replies["DATA"]
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        assert envelope.rcpt_tos == [mail["to"]]
        self.mails.append(mail)
        while self.holds:
            await asyncio.sleep(0.01)
        return "250 OK"

    def take(self, recipient: str) -> EmailMessage:
        """Wait for the mail to an address and remove it."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = [mail for mail in self.mails if mail["to"] == recipient]
            if found:
                assert len(found) == 1
                self.mails.remove(found[0])
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"there is no mail to {recipient}")


def link_of(mail: EmailMessage) -> str:
    """Return the link in a mail."""
    return re.findall(r"^https?://\S+", mail.get_content(), re.MULTILINE)[0]  # type: ignore[no-any-return]


def token_of(mail: EmailMessage) -> str:
    """Return the token of the link in a mail."""
    return link_of(mail).partition("#token=")[2]
