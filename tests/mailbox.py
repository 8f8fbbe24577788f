"""A real SMTP server, and the mails that it was given."""

import email
import email.policy
import re
import time
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.ports import free_port

SENDER = "daypass@site.example"


class Mailbox:
    """Takes every mail, on a free loopback port, in a thread of its own."""

    def __init__(self, **tls: Any) -> None:
        """`tls_context` to offer STARTTLS, `ssl_context` to speak TLS at once."""
        self.mails: list[EmailMessage] = []
        self.port = free_port()
        self.logins: list[tuple[bytes, bytes]] = []
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            authenticator=self._authenticate,
            auth_require_tls=False,
            **tls,
        )

    @property
    def settings(self) -> dict[str, str]:
        return {"DAYPASS_SMTP_URL": f"smtp://127.0.0.1:{self.port}", "DAYPASS_MAIL_FROM": SENDER}

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def _authenticate(self, *told: Any) -> AuthResult:
        """Everybody may sign in; nobody needs to."""
        self.logins.append((told[-1].login, told[-1].password))
        return AuthResult(success=True)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        assert envelope.rcpt_tos == [mail["to"]]
        self.mails.append(mail)
        return "250 OK"

    def take(self, recipient: str) -> EmailMessage:
        """The one mail to an address, as soon as it comes."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            found = [mail for mail in self.mails if mail["to"] == recipient]
            if found:
                assert len(found) == 1
                self.mails.remove(found[0])
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"there is no mail to {recipient}")


def link_of(mail: EmailMessage) -> str:
    """The link that a mail is about."""
    return re.findall(r"^https?://\S+", mail.get_content(), re.MULTILINE)[0]  # type: ignore[no-any-return]


def token_of(mail: EmailMessage) -> str:
    """The token of its link."""
    return link_of(mail).partition("#token=")[2]
