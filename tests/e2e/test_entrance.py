"""Signing up and in with mail and with single sign-on, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from daypass.portal import throttles
from daypass.records.identifiers import digest
from tests.conftest import PASSWORD, Server, start_public
from tests.e2e.test_accessibility import NARROW, fits_at, violations
from tests.e2e.visit import DESKTOP, KEY, PHONE, Visit, fits, settled
from tests.portal.test_sign_in import use_up
from tests.support.mailbox import Mailbox, link_of, token_of
from tests.support.oidc import OidcProvider

NEW = "another horse, another battery"


@pytest.fixture(scope="module")
def site(
    mailbox_server: Mailbox, oidc_server: OidcProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    settings = mailbox_server.settings | oidc_server.settings
    server = start_public(tmp_path_factory.mktemp("entrance"), **settings)
    yield server
    server.stop()


@pytest.fixture
def visit(browser: Browser, site: Server) -> Iterator[Visit]:
    visit = Visit(browser, site, PHONE, reduced_motion="reduce")
    yield visit
    visit.close()


def fill(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)


def test_sign_up_by_mail_and_reset_a_forgotten_password(
    visit: Visit, site: Server, mailbox: Mailbox
) -> None:
    page, email = visit.page, "mail@example.org"
    page.goto("/sign-up/")
    page.get_by_role("button", name="Send link").wait_for()
    expect(page.get_by_label("Password", exact=True)).to_be_hidden()
    page.get_by_label("E-mail address").fill(email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text=f"We sent a link to {email}")).to_be_focused()
    mailbox.take(email)
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("Sent, unless")).to_be_visible()
    confirmation = link_of(mailbox.take(email))
    page.goto(confirmation)
    expect(page.get_by_text(f"For your new account {email}.")).to_be_visible()
    assert fits(page)
    page.get_by_label("New password").fill("password1234")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("This password is too easy to guess")).to_be_visible()
    visit.take_faults()
    page.get_by_label("New password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/keys/")
    page.get_by_role("button", name="Create key").wait_for()
    page.request.delete("/api/session", headers={"origin": site.url})
    page.evaluate("localStorage.clear()")
    page.goto(confirmation)
    expect(page.get_by_role("alert").filter(has_text="This link has been used")).to_be_visible()
    visit.take_faults()
    page.get_by_role("link", name="Back to sign-in").click()
    page.get_by_role("link", name="Forgot your password?").click()
    page.wait_for_url("**/forgot-password/")
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_text(f"If {email} has an account")).to_be_visible()
    reset = link_of(mailbox.take(email))
    page.goto(reset)
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_text("Use at least 10 characters.")).to_be_visible()
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_text("Your new password is saved.")).to_be_visible()
    assert fits(page)
    assert visit.take_faults() == []
    page.goto("/sign-in/")
    page.goto(reset)
    page.get_by_label("New password").fill("a third horse, a third battery")
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_role("alert").filter(has_text="has already been used")).to_be_visible()
    page.get_by_role("link", name="Back to sign-in").click()
    fill(page, email, NEW)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/keys/")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text(KEY)).to_be_visible()


def test_sign_in_with_a_provider_and_sign_out(
    visit: Visit, site: Server, oidc: OidcProvider
) -> None:
    page = visit.page
    oidc.claims = {"email_verified": False}
    page.goto("/sign-in/?next=%2Fusage%2F")
    page.get_by_role("button", name="Continue with Lighthouse").click()
    page.wait_for_url("**/sign-in/?problem=unverified")
    refused = page.get_by_role("alert").filter(has_text="Lighthouse has not verified your e-mail")
    expect(refused).to_be_visible()
    assert fits(page)
    oidc.claims = {}
    page.goto("/sign-in/?next=%2Fusage%2F")
    page.get_by_role("button", name="Continue with Lighthouse").click()
    page.wait_for_url("**/usage/")
    page.goto("/account/")
    expect(page.get_by_text("Your account has no password")).to_be_visible()
    assert fits(page)
    faults = [x for x in visit.take_faults() if oidc.url not in x]
    assert faults == []
    page.get_by_role("button", name="Delete account").click()
    page.get_by_role("button", name="Delete permanently").click()
    page.wait_for_url(site.url + "/")
    page.goto("/sign-in/?problem=<b>made up</b>")
    page.get_by_role("button", name="Continue with Lighthouse").wait_for()
    expect(page.get_by_text("made up")).to_have_count(0)


def test_throttled_sign_in_shows_a_countdown(visit: Visit, site: Server) -> None:
    page = visit.page
    email = "patience@example.org"
    name = f"sign-in account {digest(email)} address 127.0.0.1"
    use_up(site, name, throttles.SIGN_IN_TOGETHER)
    page.goto("/sign-in/")
    fill(page, email, PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    notice = page.get_by_role("alert").filter(has_text="Too many attempts")
    expect(notice).to_be_visible()
    expect(page.get_by_text(re.compile(r"You can try again in \d+ (s|min)"))).to_be_visible()
    assert fits(page)
    assert [x for x in visit.take_faults() if "429" not in x] == []


def test_sign_in_pages_pass_axe(
    browser: Browser, site: Server, mailbox: Mailbox, oidc: OidcProvider
) -> None:
    visit = Visit(browser, site, DESKTOP, reduced_motion="reduce")
    page = visit.page
    found: list[str] = []
    too_wide: list[tuple[str, int]] = []

    def look() -> None:
        found.extend(violations(page))
        too_wide.extend((page.url, width) for width in NARROW if not fits_at(page, width))

    for path in (
        "/sign-in/?problem=email_taken",
        "/sign-up/",
        "/forgot-password/",
        "/reset-password/",
        "/reset-password/#token=x",
        "/confirm/",
        "/confirm/#token=x",
    ):
        page.goto("about:blank")
        settled(page, path)
        if "sign" in path:
            page.get_by_role("button", name="Continue with Lighthouse").wait_for()
        look()
    expect(page.get_by_role("alert").filter(has_text="expired")).to_be_visible()
    settled(page, "/sign-up/")
    page.get_by_label("E-mail address").fill("axe@example.org")
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_text("Check your e-mail")).to_be_visible()
    look()
    settled(page, link_of(mailbox.take("axe@example.org")))
    expect(page.get_by_label("New password")).to_be_visible()
    look()
    visit.close()
    assert not found, "\n".join(found)
    assert too_wide == []


def test_an_unconfirmed_account_confirms_its_address_or_is_taken_over(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory, mailbox = tmp_path_factory.mktemp("unconfirmed"), Mailbox()
    before = start_public(directory)
    operator, stranger = before.set_up(), before.sign_up()
    before.stop()
    server = start_public(directory, **mailbox.settings)
    here = Visit(browser, server, PHONE, reduced_motion="reduce")
    here.sign_in(operator)
    page = here.page
    settled(page, "/keys/")
    expect(page.get_by_text("You can create keys after that.")).to_be_visible()
    expect(page.get_by_role("button", name="Create key")).to_have_count(0)
    assert violations(page) == []
    assert fits(page)
    # The mail server is down: the mail waits, and the operator is shown this.
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("Sent, unless")).to_be_visible()
    settled(page, "/operator/")
    failed = page.get_by_role("region", name="List of failed e-mails")
    expect(failed.get_by_text("The mail server cannot be reached")).to_be_visible(timeout=20_000)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    assert [width for width in NARROW if not fits_at(page, width)] == []
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    mailbox.start()
    retry = page.get_by_role("button", name=f"Retry: {operator.email}")
    retry.focus()
    page.keyboard.press("Enter")
    token = token_of(mailbox.take(operator.email))
    expect(page.get_by_text("Failed e-mails")).to_have_count(0, timeout=20_000)
    # The link does not give another browser an operator's account.
    there = Visit(browser, server, PHONE, reduced_motion="reduce")
    settled(there.page, f"/confirm/#token={token}")
    refused = there.page.get_by_role("alert").filter(has_text="an operator's account")
    expect(refused).to_be_visible()
    expect(there.page.get_by_role("button", name="Take over the account")).to_have_count(0)
    there.take_faults()
    page.goto(f"/confirm/#token={token}")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("link", name="Go to your keys").click()
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text(KEY)).to_be_visible()
    assert [fault for fault in here.take_faults() if "404" not in fault] == []
    # The owner of a mailbox takes over the account that a stranger created with it.
    http = server.client(cookies=dict(stranger.http.cookies))
    assert http.post("/api/confirmations").status_code == 202
    settled(there.page, f"/confirm/#token={token_of(mailbox.take(stranger.email))}")
    expect(there.page.get_by_text("You are not signed in to this account")).to_be_visible()
    assert violations(there.page) == []
    assert fits(there.page)
    there.page.get_by_label("New password").fill(NEW)
    there.page.get_by_role("button", name="Take over the account").click()
    expect(there.page.get_by_text(f"{stranger.email} is confirmed.")).to_be_visible()
    there.page.get_by_role("link", name="Go to your keys").click()
    there.page.get_by_role("button", name="Create key").wait_for()
    assert http.get("/api/session").status_code == 401
    assert there.take_faults() == []
    here.close()
    there.close()
    server.stop()
    mailbox.stop()
