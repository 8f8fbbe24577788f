"""Mail: confirmed addresses and forgotten passwords, with a real SMTP server."""

import re
import sqlite3
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from daypass.portal import throttles
from daypass.portal.email_templates import Letter
from daypass.portal.mailer import DeliveryError, Mailer
from daypass.records.identifiers import digest
from tests.conftest import PASSWORD, Person, Server, daypass, serve_on, start_public
from tests.portal.test_sign_in import use_up
from tests.support.mailbox import SENDER, Mailbox, link_of, token_of
from tests.support.outputs import OUTPUTS
from tests.support.portal import problem
from tests.support.ports import free_port
from tests.support.tls import Authority, serving
from tests.support.waiting import until

NEW = "another horse, another battery"


@pytest.fixture(scope="module")
def unproven_people() -> list[Person]:
    """People with a key and an account from before mail was set up on `site`; one for each test."""
    return []


@pytest.fixture(scope="module")
def site(
    mailbox_server: Mailbox,
    unproven_people: list[Person],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server with mail, which was set up after accounts existed."""
    directory = tmp_path_factory.mktemp("mail")
    before = start_public(directory)
    people = [before.sign_up() for _ in range(5)]
    for person in people:
        person.create_key()
    before.stop()
    server = start_public(directory, DAYPASS_TRUSTED_PROXIES="127.0.0.1", **mailbox_server.settings)
    for person in people[1:]:
        http = server.client(cookies=dict(person.http.cookies))
        unproven_people.append(Person(http, person.email))
    yield server
    server.stop()


def sign_up(site: Server, email: str, password: str | None = None) -> httpx.Response:
    return site.client().post("/api/accounts", json={"email": email, "password": password})


def confirm(http: httpx.Client, token: str, password: str | None = PASSWORD) -> httpx.Response:
    return http.put("/api/confirmations", json={"token": token, "password": password})


def preview(http: httpx.Client, token: str) -> httpx.Response:
    return http.post("/api/confirmations/preview", json={"token": token})


def join(site: Server, mailbox: Mailbox, email: str) -> Person:
    """An account with a confirmed address, signed in."""
    assert sign_up(site, email).status_code == 202
    http = site.client()
    assert confirm(http, token_of(mailbox.take(email))).status_code == 200
    return Person(http, email)


def sign_in(http: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    return http.post("/api/session", json={"email": email, "password": password})


def strangers(site: Server, count: int) -> Iterator[httpx.Client]:
    """Return clients that call from this many addresses."""
    for number in range(count):
        yield site.client(headers={"x-forwarded-for": f"198.51.100.{number}"})


def all_sent(site: Server, mailbox: Mailbox) -> list[EmailMessage]:
    """Return the mails received, once none waits to be sent."""

    def waiting() -> int:
        with sqlite3.connect(site.data_dir / "daypass.db") as connection:
            (count,) = connection.execute("SELECT count(*) FROM mail").fetchone()
        return int(count)

    until(lambda: waiting() == 0)
    mails, mailbox.mails[:] = list(mailbox.mails), []
    return mails


def ask_reset(site: Server, mailbox: Mailbox, email: str) -> str:
    """Request a password reset and return the link's token."""
    asked = site.client().post("/api/password-resets", json={"email": email})
    assert (asked.status_code, asked.json()) == (202, {"mailed_to": email})
    return token_of(mailbox.take(email))


def test_the_mailed_link_completes_a_sign_up(site: Server, mailbox: Mailbox) -> None:
    email = "ada@example.org"
    answer = sign_up(site, email)
    assert (answer.status_code, answer.json()) == (202, {"mailed_to": email})
    assert "set-cookie" not in answer.headers
    mail = mailbox.take(email)
    assert (mail["from"], mail["to"], mail["auto-submitted"]) == (SENDER, email, "auto-generated")
    assert mail.get_content_type() == "text/plain"
    token = token_of(mail)
    assert link_of(mail) == f"{site.url}/confirm/#token={token}"
    OUTPUTS.plant(token)
    http = site.client()
    for forged in ("", "x", token[:-2] + "xx"):
        assert problem(confirm(http, forged)) == 403
    assert problem(confirm(http, token, None), "password") == 422
    assert problem(confirm(http, token, "password1234"), "password") == 422
    # Opening the link, as mail scanners do, does not use it up.
    seen = http.post("/api/confirmations/preview", json={"token": token}).json()
    assert seen == {"email": email, "makes": "account", "needs_password": True}
    assert sign_in(site.client(), email).status_code == 401
    assert confirm(http, token).json() == {"email": email, "made": "account"}
    assert http.get("/api/session").json()["email_confirmed"] is True
    Person(http, email).create_key()
    for used in (confirm(site.client(), token), preview(site.client(), token)):
        assert problem(used) == 409
        assert "This link has been used" in used.json()["detail"]
    assert sign_in(site.client(), email).status_code == 200


def test_sign_up_does_not_reveal_whether_an_account_exists(site: Server, mailbox: Mailbox) -> None:
    taken = join(site, mailbox, "grace@example.org").email
    for email in (taken, "grace+2@example.org"):
        answer = sign_up(site, email, NEW)
        assert (answer.status_code, answer.json()) == (202, {"mailed_to": email})
        mail = mailbox.take(email)
        assert "already have an account" in mail["subject"]
        assert link_of(mail) == f"{site.url}/forgot-password/"
        assert sign_in(site.client(), email, NEW).status_code == 401
    assert sign_in(site.client(), taken).status_code == 200


def test_the_password_is_chosen_when_the_link_is_opened(site: Server, mailbox: Mailbox) -> None:
    email = "contested@example.org"
    stranger, owner = site.client(), site.client()
    assert stranger.post("/api/accounts", json={"email": email, "password": NEW}).status_code == 202
    assert confirm(owner, token_of(mailbox.take(email))).status_code == 200
    assert owner.get("/api/session").json()["email"] == email
    assert sign_in(stranger, email, NEW).status_code == 401
    assert sign_in(stranger, email).status_code == 200


def test_sign_ups_by_others_neither_lock_the_owner_out_nor_flood_the_mailbox(
    site: Server, mailbox: Mailbox
) -> None:
    email = "popular@example.org"
    for stranger in strangers(site, 12):
        assert stranger.post("/api/accounts", json={"email": email}).status_code == 202
    assert sign_up(site, email).status_code == 202
    mails = all_sent(site, mailbox)
    assert [mail["to"] for mail in mails] == [email] * 3
    # The link of any mail works, even of one that another person requested.
    owner = site.client()
    assert confirm(owner, token_of(mails[0])).status_code == 200
    assert owner.get("/api/session").json()["email"] == email


def test_mails_to_aliases_do_not_use_up_the_limit_of_the_plain_address(
    site: Server, mailbox: Mailbox
) -> None:
    for number, stranger in enumerate(strangers(site, 12)):
        body = {"email": f"plain+{number}@example.org"}
        assert stranger.post("/api/accounts", json=body).status_code == 202
    assert len(all_sent(site, mailbox)) == 3
    assert join(site, mailbox, "plain@example.org")


def test_resets_requested_by_others_do_not_lock_the_owner_out(
    site: Server, mailbox: Mailbox
) -> None:
    person = join(site, mailbox, "targeted@example.org")
    for stranger in strangers(site, 12):
        body = {"email": person.email}
        assert stranger.post("/api/password-resets", json=body).status_code == 202
    *_, newest = all_sent(site, mailbox)
    right = {"token": token_of(newest), "password": NEW}
    assert person.http.put("/api/password-resets", json=right).status_code == 204
    # That link is used up, so another mail may follow at once.
    ask_reset(site, mailbox, person.email)


def test_mail_requests_are_throttled_by_client_address(site: Server) -> None:
    here = "203.0.113.99"
    use_up(site, f"mail from address {here}", throttles.MAIL_ADDRESS)
    http = site.client(headers={"x-forwarded-for": here})
    for path in ("accounts", "password-resets"):
        assert problem(http.post(f"/api/{path}", json={"email": "x@example.org"})) == 429


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Person, Mailbox]]:
    """A site with sign-up by invitation, its operator, and its own mail server."""
    directory, mailbox = tmp_path_factory.mktemp("operated"), Mailbox()
    before = start_public(directory)
    operator = before.set_up()
    before.stop()
    mailbox.start()
    server = start_public(directory, DAYPASS_SIGN_UP="invite", **mailbox.settings)
    http = server.client(cookies=dict(operator.http.cookies))
    yield server, Person(http, operator.email), mailbox
    server.stop()
    mailbox.stop()


def invite(operator: Person) -> dict[str, str]:
    made: dict[str, str] = operator.http.post("/api/operator/invitations", json={}).json()
    return made


def test_withdrawing_a_strangers_invitation_keeps_the_owners_link(
    operated: tuple[Server, Person, Mailbox],
) -> None:
    server, operator, mailbox = operated
    owners, strangers_own = [invite(operator) for _ in range(2)]
    for invitation in (owners, strangers_own):
        body = {"email": "ada@example.org", "invitation": invitation["token"]}
        assert server.client().post("/api/accounts", json=body).status_code == 202
    mails = all_sent(server, mailbox)
    withdrawn = operator.http.delete(f"/api/operator/invitations/{strangers_own['id']}")
    assert withdrawn.status_code == 204
    assert len(mails) == 2
    assert confirm(server.client(), token_of(mails[1])).status_code == 200
    # Without an open invitation there is no account.
    invited = invite(operator)
    body = {"email": "grace@example.org", "invitation": invited["token"]}
    assert server.client().post("/api/accounts", json=body).status_code == 202
    operator.http.delete(f"/api/operator/invitations/{invited['id']}")
    token = token_of(mailbox.take("grace@example.org"))
    assert problem(confirm(server.client(), token)) == 403


def test_a_person_is_told_that_an_operator_created_a_reset_link(
    operated: tuple[Server, Person, Mailbox],
) -> None:
    server, operator, mailbox = operated
    (found,) = operator.http.get("/api/operator/people").json()["people"][-1:]
    assert found["email"] == operator.email
    path = f"/api/operator/people/{found['id']}/password-reset"
    created = operator.http.post(path).json()
    mail = mailbox.take(operator.email)
    assert str(mail["subject"]).startswith("A link to change your password")
    text = mail.get_content()
    assert f"{server.url}/forgot-password/" in text
    token = created["url"].partition("#token=")[2]
    OUTPUTS.plant(token)
    assert token not in text


@pytest.fixture
def unproven(site: Server, unproven_people: list[Person], mailbox: Mailbox) -> tuple[Person, str]:
    """An account with a key from before mail was set up, and the token to confirm its address."""
    person = unproven_people.pop()
    assert person.http.post("/api/confirmations").status_code == 202
    return person, token_of(mailbox.take(person.email))


def test_an_unconfirmed_account_confirms_its_address_while_signed_in(
    site: Server, unproven: tuple[Person, str], mailbox: Mailbox
) -> None:
    person, token = unproven
    assert person.http.get("/api/session").json()["email_confirmed"] is False
    body = {"name": "x", "usage_plan_id": "10RequestPerDay"}
    refused = person.http.post("/api/api-keys", json=body)
    assert problem(refused) == 403
    assert "Confirm your e-mail address" in refused.json()["detail"]
    for _ in range(4):
        assert person.http.post("/api/confirmations").status_code == 202
    assert len(all_sent(site, mailbox)) == 2
    seen = person.http.post("/api/confirmations/preview", json={"token": token}).json()
    assert seen == {"email": person.email, "makes": "address", "needs_password": False}
    confirmed = confirm(person.http, token, None)
    assert confirmed.json() == {"email": person.email, "made": "address"}
    assert len(person.keys()) == 1
    person.create_key()
    assert problem(person.http.post("/api/confirmations")) == 409
    # In another browser the link does not sign in.
    assert problem(confirm(site.client(), token, NEW)) == 409
    assert site.client().get("/api/site").json()["mail"] is True


def test_the_mailbox_owner_takes_over_a_strangers_unconfirmed_account(
    site: Server, unproven: tuple[Person, str]
) -> None:
    stranger, token = unproven
    owner = site.client()
    assert problem(confirm(owner, token, None), "password") == 422
    assert stranger.http.get("/api/session").status_code == 200
    assert confirm(owner, token, NEW).json() == {"email": stranger.email, "made": "address"}
    assert owner.get("/api/session").json()["email_confirmed"] is True
    assert owner.get("/api/api-keys").json() == []
    assert stranger.http.get("/api/session").status_code == 401
    assert sign_in(stranger.http, stranger.email).status_code == 401
    assert sign_in(site.client(), stranger.email, NEW).status_code == 200


def test_the_mailbox_owner_cannot_take_over_an_operators_account(
    site: Server, unproven: tuple[Person, str], mailbox: Mailbox
) -> None:
    """The operator may have mistyped the address in the set-up form."""
    operator, token = unproven
    reset = {"token": ask_reset(site, mailbox, operator.email), "password": NEW}
    assert daypass("accounts", "promote", operator.email, **site.settings).returncode == 0
    assert problem(site.client().put("/api/password-resets", json=reset)) == 403
    assert problem(preview(site.client(), token)) == 403
    assert problem(confirm(site.client(), token, NEW)) == 403
    signed_in = site.client()
    assert sign_in(signed_in, operator.email).status_code == 200
    ask = {"email": operator.email}
    assert site.client().post("/api/password-resets", json=ask).status_code == 202
    assert all_sent(site, mailbox) == []
    assert confirm(signed_in, token, None).status_code == 200


def test_a_password_reset_takes_over_a_strangers_unconfirmed_account(
    site: Server, unproven: tuple[Person, str], mailbox: Mailbox
) -> None:
    stranger, _ = unproven
    assert stranger.http.post("/api/password-resets", json={"email": stranger.email})
    mail = mailbox.take(stranger.email)
    assert "All its API keys are deleted" in " ".join(mail.get_content().split())
    owner = site.client()
    body = {"token": token_of(mail), "password": NEW}
    assert owner.put("/api/password-resets", json=body).status_code == 204
    assert stranger.http.get("/api/session").status_code == 401
    assert sign_in(owner, stranger.email, NEW).status_code == 200
    assert owner.get("/api/api-keys").json() == []
    assert owner.get("/api/session").json()["email_confirmed"] is True


def test_an_account_with_an_alias_is_reset_from_the_plain_address(
    site: Server, mailbox: Mailbox
) -> None:
    """A stranger may have signed up with an alias of the mailbox before mail was set up."""
    join(site, mailbox, "taken+unknown@example.org")
    asked = site.client().post("/api/password-resets", json={"email": "taken@example.org"})
    assert asked.json() == {"mailed_to": "taken@example.org"}
    body = {"token": token_of(mailbox.take("taken+unknown@example.org")), "password": NEW}
    assert site.client().put("/api/password-resets", json=body).status_code == 204


def test_a_password_reset_link_works_once(site: Server, mailbox: Mailbox) -> None:
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
    # The mailbox owner can still sign in while others guess.
    assert sign_in(http, person.email, NEW).status_code == 200
    for used in (token, other):
        again = {"token": used, "password": "a third horse, a third battery"}
        assert problem(http.put("/api/password-resets", json=again)) == 403


def test_a_reset_request_does_not_reveal_whether_an_account_exists(
    site: Server, mailbox: Mailbox
) -> None:
    person = join(site, mailbox, "somebody@example.org")
    answers = set()
    for email in (person.email, "nobody@example.org"):
        for _ in range(5):
            asked = site.client().post("/api/password-resets", json={"email": email})
            answers.add((asked.status_code, asked.text.replace(email, "")))
    assert answers == {(202, '{"mailed_to":""}')}
    assert [mail["to"] for mail in all_sent(site, mailbox)] == [person.email] * 3


def test_a_mailed_token_is_bound_to_its_purpose_lifetime_and_secret(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    old, new = "o" * 40, "n" * 40
    port = free_port()
    settings = mailbox.settings | {"DAYPASS_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    server = serve_on(port, tmp_path, (), settings | {"DAYPASS_SECRET_KEY": old})
    person = join(server, mailbox, "ada@example.org")
    sign_up(server, "grace@example.org")
    unused = token_of(mailbox.take("grace@example.org"))
    reset = ask_reset(server, mailbox, person.email)
    OUTPUTS.plant(reset)
    http = server.client()
    body = {"token": unused, "password": NEW}
    assert problem(http.put("/api/password-resets", json=body)) == 403
    assert problem(confirm(http, reset)) == 403
    server.stop()

    def put(resets: str, **more: str) -> int:
        """Use the link on a server with these settings and return the status."""
        later = serve_on(port, tmp_path, (), settings | more)
        answer = later.client().put("/api/password-resets", json={"token": resets, "password": NEW})
        later.stop()
        return answer.status_code

    both = f"{new},{old}"
    later = {"DAYPASS_TESTING": "1", "DAYPASS_CLOCK_OFFSET_S": "1801"}
    assert put(reset, DAYPASS_SECRET_KEY=both, **later) == 403
    assert put(reset, DAYPASS_SECRET_KEY=both) == 204


async def send(mailer: Mailer, recipient: str, letter: Letter) -> DeliveryError | None:
    """Return why a mail failed, or None if it was sent."""
    try:
        await mailer.send("mai_1", recipient, letter)
    except DeliveryError as error:
        return error
    return None


async def test_line_breaks_cannot_inject_mail_headers(mailbox: Mailbox) -> None:
    mailer = Mailer(mailbox.settings["DAYPASS_SMTP_URL"], SENDER, "http://127.0.0.1")
    for recipient, subject in (
        ("a@b.org\nbcc: evil@example.org", "Hello"),
        ("a@b.org\r\nsubject: x", "Hello"),
        ("a@b.org", "Hello\nbcc: evil@example.org"),
    ):
        refused = await send(mailer, recipient, Letter(subject, "text"))
        assert refused is not None
        assert refused.permanent
    assert await send(mailer, "good@b.org", Letter("Hello", ".\r\nQUIT\r\n")) is None
    (mail,) = mailbox.mails
    assert (mail["to"], mail["bcc"]) == ("good@b.org", None)
    assert "QUIT" in mail.get_content()


async def test_smtp_credentials_are_read_from_the_url(mailbox: Mailbox) -> None:
    mailer = Mailer(f"smtp://me%40x:p%3A%2F@127.0.0.1:{mailbox.port}", SENDER, "http://site")
    assert await send(mailer, "a@b.org", Letter("Hello", "text")) is None
    assert mailbox.take("a@b.org")["subject"] == "Hello"
    assert mailbox.logins[-1] == (b"me@x", b"p:/")
    assert "p%3A" not in repr(mailer)


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_a_mail_server_without_tls_gets_no_credentials_and_no_mail(
    mailbox: Mailbox, scheme: str
) -> None:
    mailer = Mailer(f"{scheme}://me:secret@127.0.0.1:{mailbox.port}", SENDER, "http://site")
    logins = len(mailbox.logins)
    failed = await send(mailer, "a@b.org", Letter("Hello", "text"))
    # Not permanent: the operator can fix it.
    assert failed is not None
    assert not failed.permanent
    assert (mailbox.mails, len(mailbox.logins)) == ([], logins)


@pytest.mark.parametrize(
    ("scheme", "option"), [("smtp+starttls", "tls_context"), ("smtps", "ssl_context")]
)
async def test_tls_requires_a_certificate_for_the_mail_server(
    scheme: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv(*next(iter(authority.trusted.items())))
    received = []
    for name in ("localhost", "mail.example.org"):
        mailbox = Mailbox(**{option: serving(authority.certify(name))})
        mailbox.start()
        mailer = Mailer(f"{scheme}://me:secret@localhost:{mailbox.port}", SENDER, "http://site")
        failed = await send(mailer, "a@b.org", Letter("Hello", "text"))
        assert failed is None or "TLS connection" in failed.reason
        received.append((len(mailbox.mails), len(mailbox.logins)))
        mailbox.stop()
    assert received == [(1, 1), (0, 0)]


@pytest.mark.parametrize(
    "email",
    ["a@b.org\nbcc: c@d.org", "a@b.org\r\nx: y", "a@b.org, c@d.org", "<a@b.org>", "a b@c.org"],
)
def test_several_addresses_in_one_field_are_refused(
    site: Server, mailbox: Mailbox, email: str
) -> None:
    for path in ("/api/accounts", "/api/password-resets"):
        answer = site.client().post(path, json={"email": email, "password": PASSWORD})
        assert problem(answer, "email") == 422
    assert mailbox.mails == []


def test_failed_mails_are_listed_and_can_be_sent_again(
    operated: tuple[Server, Person, Mailbox],
) -> None:
    server, operator, mailbox = operated
    http = operator.http
    mailbox.stop()
    for name in ("private", "removed"):
        body = {"email": f"{name}@example.org", "invitation": invite(operator)["token"]}
        assert server.client().post("/api/accounts", json=body).status_code == 202

    def failed() -> dict[str, Any]:
        listed = http.get("/api/operator/mails").json()
        # Both are read while mails come and go.
        is_whole = listed["total"] == len(listed["mails"])
        return {mail["recipient"]: mail for mail in listed["mails"]} if is_whole else {}

    until(lambda: set(failed()) == {"private@example.org", "removed@example.org"})
    mail = failed()["private@example.org"]
    assert mail["kind"] == "sign-up"
    assert mail["error"] == "The mail server cannot be reached (Connection refused)."
    assert mail["next_try_at"] > mail["created_at"]
    removed = failed()["removed@example.org"]["id"]
    until(lambda: http.delete(f"/api/operator/mails/{removed}").status_code == 204)
    assert problem(http.delete(f"/api/operator/mails/{removed}")) == 404
    found = daypass("doctor", **server.settings)
    assert "FAIL mail: 127.0.0.1 does not take mail" in found.stdout
    mailbox.start()
    # It may just be retried automatically, and is then not listed as failed.
    assert http.post(f"/api/operator/mails/{mail['id']}/retry").status_code in (204, 404)
    link_of(mailbox.take("private@example.org"))
    until(lambda: failed() == {})
    assert mailbox.mails == []
    done = [entry["action"] for entry in http.get("/api/operator/audit-log").json()]
    assert "mail removed" in done
    assert "mail_failed" in server.log()
    assert not re.search(r"private|example\.org", server.log())


def test_without_mail_its_routes_are_disabled(demo: Server) -> None:
    asked = demo.client().post("/api/password-resets", json={"email": "a@example.org"})
    assert problem(asked) == 409
    assert problem(demo.sign_up().http.post("/api/confirmations")) == 409
    missing = demo.client().post("/api/accounts", json={"email": "a@example.org"})
    assert problem(missing, "password") == 422
