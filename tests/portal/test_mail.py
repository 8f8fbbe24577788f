"""Mail: confirmed addresses, forgotten passwords. A real SMTP server takes it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from daypass.portal import throttles
from daypass.portal.letters import Letter
from daypass.portal.mailer import Mailer
from daypass.records.identifiers import digest
from tests.conftest import PASSWORD, Person, Server, daypass, serve_on, start_public
from tests.mailbox import SENDER, Mailbox, link_of, token_of
from tests.portal.test_portal import problem
from tests.portal.test_sign_in import use_up
from tests.ports import free_port
from tests.tls import Authority, serving

NEW = "another horse, another battery"


@pytest.fixture(scope="module")
def site(mailbox_server: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that sends mails and has an operator."""
    server = start_public(
        tmp_path_factory.mktemp("mail"),
        DAYPASS_TRUSTED_PROXIES="127.0.0.1",
        **mailbox_server.settings,
    )
    server.set_up()
    yield server
    server.stop()


def sign_up(site: Server, email: str, password: str = PASSWORD) -> httpx.Response:
    return site.client().post("/api/accounts", json={"email": email, "password": password})


def join(site: Server, mailbox: Mailbox, email: str) -> Person:
    """An account with a confirmed address, signed in."""
    assert sign_up(site, email).status_code == 202
    token = token_of(mailbox.take(email))
    http = site.client()
    assert http.put("/api/confirmations", json={"token": token}).status_code == 200
    assert sign_in(http, email).status_code == 200
    return Person(http, email)


def sign_in(http: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    return http.post("/api/session", json={"email": email, "password": password})


def ask_reset(site: Server, mailbox: Mailbox, email: str) -> str:
    """The token of a link to a new password."""
    asked = site.client().post("/api/password-resets", json={"email": email})
    assert (asked.status_code, asked.json()) == (202, {"mailed_to": email})
    return token_of(mailbox.take(email))


def test_a_sign_up_becomes_an_account_by_the_link_in_its_mail(
    site: Server, mailbox: Mailbox
) -> None:
    email = "ada@example.org"
    answer = sign_up(site, email)
    assert (answer.status_code, answer.json()) == (202, {"mailed_to": email})
    assert "set-cookie" not in answer.headers
    assert sign_in(site.client(), email).status_code == 401
    mail = mailbox.take(email)
    assert (mail["from"], mail["to"], mail["auto-submitted"]) == (SENDER, email, "auto-generated")
    assert mail.get_content_type() == "text/plain"
    assert link_of(mail).startswith(f"{site.url}/confirm/#token=")
    http = site.client()
    for forged in ("", "x", token_of(mail)[:-2] + "xx"):
        assert problem(http.put("/api/confirmations", json={"token": forged})) == 403
    confirmed = http.put("/api/confirmations", json={"token": token_of(mail)})
    assert confirmed.json() == {"email": email, "made": "account"}
    assert http.get("/api/session").status_code == 401
    assert problem(http.put("/api/confirmations", json={"token": token_of(mail)})) == 403
    assert sign_in(http, email).json()["email_confirmed"] is True
    Person(http, email).create_key()


def test_a_sign_up_does_not_tell_who_has_an_account(site: Server, mailbox: Mailbox) -> None:
    taken = join(site, mailbox, "grace@example.org").email
    for email in (taken, "grace+2@example.org"):
        answer = sign_up(site, email, NEW)
        assert (answer.status_code, answer.json()) == (202, {"mailed_to": email})
        mail = mailbox.take(email)
        assert "have an account already" in mail["subject"]
        assert link_of(mail) == f"{site.url}/forgot-password/"
        assert sign_in(site.client(), email, NEW).status_code == 401
    assert sign_in(site.client(), taken).status_code == 200


def test_whose_link_is_opened_has_the_password_that_he_chose(
    site: Server, mailbox: Mailbox
) -> None:
    email = "contested@example.org"
    sign_up(site, email, NEW)
    first = token_of(mailbox.take(email))
    sign_up(site, email)
    second = token_of(mailbox.take(email))
    http = site.client()
    assert http.put("/api/confirmations", json={"token": second}).status_code == 200
    assert problem(http.put("/api/confirmations", json={"token": first})) == 409
    assert sign_in(site.client(), email, NEW).status_code == 401
    assert sign_in(site.client(), email).status_code == 200


def test_the_first_operator_confirms_their_address_before_they_have_keys(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    server = start_public(tmp_path, **mailbox.settings)
    operator = server.set_up()
    assert operator.http.get("/api/session").json()["email_confirmed"] is False
    body = {"name": "x", "usage_plan_id": "10RequestPerDay"}
    refused = operator.http.post("/api/api-keys", json=body)
    assert problem(refused) == 403
    assert "Confirm your e-mail address" in refused.json()["detail"]
    mailbox.take(operator.email)
    assert operator.http.post("/api/confirmations").status_code == 202
    token = token_of(mailbox.take(operator.email))
    assert [operator.http.post("/api/confirmations").status_code for _ in range(3)] == [
        202,
        202,
        429,
    ]
    confirmed = server.client().put("/api/confirmations", json={"token": token})
    assert confirmed.json() == {"email": operator.email, "made": "address"}
    operator.create_key()
    assert problem(operator.http.post("/api/confirmations")) == 409
    assert server.client().get("/api/site").json()["mail"] is True
    server.stop()


def test_a_forgotten_password_is_chosen_anew_by_a_link_that_works_once(
    site: Server, mailbox: Mailbox
) -> None:
    person = join(site, mailbox, "forgetful@example.org")
    token = ask_reset(site, mailbox, person.email)
    other = ask_reset(site, mailbox, person.email)
    http = site.client()
    easy = {"token": token, "password": "password1234"}
    assert problem(http.put("/api/password-resets", json=easy), "password") == 422
    right = {"token": token, "password": NEW}
    assert http.put("/api/password-resets", json=right).status_code == 204
    assert person.http.get("/api/session").status_code == 401
    assert http.get("/api/session").status_code == 401
    assert sign_in(site.client(), person.email).status_code == 401
    use_up(site, f"sign-in account {digest(person.email)}", throttles.SIGN_IN_ACCOUNT)
    assert sign_in(site.client(), person.email, NEW).status_code == 429
    # Whoever has the mailbox has a way in while others guess.
    assert sign_in(http, person.email, NEW).status_code == 200
    for used in (token, other):
        again = {"token": used, "password": "a third horse, a third battery"}
        assert problem(http.put("/api/password-resets", json=again)) == 403


def test_asking_for_a_reset_does_not_tell_who_has_an_account(
    site: Server, mailbox: Mailbox
) -> None:
    answer = site.client().post("/api/password-resets", json={"email": "nobody@example.org"})
    assert (answer.status_code, answer.json()) == (202, {"mailed_to": "nobody@example.org"})
    person = join(site, mailbox, "somebody@example.org")
    ask_reset(site, mailbox, person.email)
    assert mailbox.mails == []
    statuses = {
        email: [
            site.client().post("/api/password-resets", json={"email": email}).status_code
            for _ in range(3)
        ]
        for email in ("nobody-2@example.org", "nobody-3@example.org")
    }
    assert set(map(tuple, statuses.values())) == {(202, 202, 202)}
    more = site.client().post("/api/password-resets", json={"email": "nobody-2+x@example.org"})
    assert problem(more) == 429


def test_a_token_is_for_its_purpose_its_time_and_its_secret_alone(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    old, new = "o" * 40, "n" * 40
    port = free_port()
    settings = mailbox.settings | {"DAYPASS_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    server = serve_on(port, tmp_path, (), settings | {"DAYPASS_SECRET_KEY": old})
    operator = server.set_up()
    confirm = token_of(mailbox.take(operator.email))
    reset = ask_reset(server, mailbox, operator.email)
    http = server.client()
    body = {"token": confirm, "password": NEW}
    assert problem(http.put("/api/password-resets", json=body)) == 403
    assert problem(http.put("/api/confirmations", json={"token": reset})) == 403
    server.stop()

    def put(resets: str, **more: str) -> int:
        """What comes of that link on a server with these settings."""
        later = serve_on(port, tmp_path, (), settings | more)
        answer = later.client().put("/api/password-resets", json={"token": resets, "password": NEW})
        later.stop()
        return answer.status_code

    both = f"{new},{old}"
    later = {"DAYPASS_TESTING": "1", "DAYPASS_CLOCK_OFFSET_S": "1801"}
    assert put(reset, DAYPASS_SECRET_KEY=both, **later) == 403
    assert put(reset, DAYPASS_SECRET_KEY=both) == 204


async def test_a_line_break_makes_no_header(mailbox: Mailbox) -> None:
    url = mailbox.settings["DAYPASS_SMTP_URL"]
    mailer = Mailer(url, SENDER, "http://127.0.0.1")
    for recipient in ("a@b.org\nbcc: evil@example.org", "a@b.org\r\nsubject: x"):
        mailer.send(recipient, Letter("Hello", "text"))
    mailer.send("a@b.org", Letter("Hello\nbcc: evil@example.org", "text"))
    mailer.send("good@b.org", Letter("Hello", ".\r\nQUIT\r\n"))
    await mailer.close()
    (mail,) = mailbox.mails
    assert (mail["to"], mail["bcc"]) == ("good@b.org", None)
    assert "QUIT" in mail.get_content()


async def test_user_and_password_are_in_the_address(mailbox: Mailbox) -> None:
    mailer = Mailer(f"smtp://me%40x:p%3A%2F@127.0.0.1:{mailbox.port}", SENDER, "http://site")
    mailer.send("a@b.org", Letter("Hello", "text"))
    await mailer.close()
    assert mailbox.take("a@b.org")["subject"] == "Hello"
    assert mailbox.logins[-1] == (b"me@x", b"p:/")
    assert "p%3A" not in repr(mailer)


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_a_server_without_tls_gets_nothing_that_was_meant_for_tls(
    mailbox: Mailbox, scheme: str
) -> None:
    mailer = Mailer(f"{scheme}://me:secret@127.0.0.1:{mailbox.port}", SENDER, "http://site")
    logins = len(mailbox.logins)
    mailer.send("a@b.org", Letter("Hello", "text"))
    await mailer.close()
    assert (mailbox.mails, len(mailbox.logins)) == ([], logins)


@pytest.mark.parametrize(
    ("scheme", "option"), [("smtp+starttls", "tls_context"), ("smtps", "ssl_context")]
)
async def test_tls_is_spoken_with_who_proves_his_name_and_nobody_else(
    scheme: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv(*next(iter(authority.trusted.items())))
    received = []
    for name in ("localhost", "mail.example.org"):
        mailbox = Mailbox(**{option: serving(authority.certify(name))})
        mailbox.start()
        mailer = Mailer(f"{scheme}://me:secret@localhost:{mailbox.port}", SENDER, "http://site")
        mailer.send("a@b.org", Letter("Hello", "text"))
        await mailer.close()
        received.append((len(mailbox.mails), len(mailbox.logins)))
        mailbox.stop()
    assert received == [(1, 1), (0, 0)]


@pytest.mark.parametrize(
    "email",
    ["a@b.org\nbcc: c@d.org", "a@b.org\r\nx: y", "a@b.org, c@d.org", "<a@b.org>", "a b@c.org"],
)
def test_an_address_that_is_more_than_one_is_refused(
    site: Server, mailbox: Mailbox, email: str
) -> None:
    for path in ("/api/accounts", "/api/password-resets"):
        answer = site.client().post(path, json={"email": email, "password": PASSWORD})
        assert problem(answer, "email") == 422
    assert mailbox.mails == []


def test_a_mail_server_that_is_down_is_in_the_log_without_the_address(tmp_path: Path) -> None:
    settings = {
        "DAYPASS_SMTP_URL": f"smtp://127.0.0.1:{free_port()}",
        "DAYPASS_MAIL_FROM": SENDER,
        "DAYPASS_PUBLIC_URL": "http://127.0.0.1:8000",
    }
    server = start_public(tmp_path, **settings)
    http = server.client(headers={"origin": settings["DAYPASS_PUBLIC_URL"]})
    body = {"email": "private@example.org", "password": PASSWORD}
    assert http.post("/api/accounts", json=body).status_code == 202
    server.stop()
    assert "mail_failed" in server.log()
    assert not re.search(r"private|example\.org", server.log())
    found = daypass("doctor", DAYPASS_DATA_DIR=str(server.data_dir), **settings)
    assert "FAIL mail: 127.0.0.1 does not take mail" in found.stdout


def test_without_mail_there_are_none(demo: Server) -> None:
    asked = demo.client().post("/api/password-resets", json={"email": "a@example.org"})
    assert problem(asked) == 409
    assert problem(demo.sign_up().http.post("/api/confirmations")) == 409
