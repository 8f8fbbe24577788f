"""Data that one person leaves in a browser that another uses next."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from playwright.sync_api import Page, expect
from starlette.responses import StreamingResponse

from tests.conftest import PASSWORD, Person, Server
from tests.e2e.test_outside_texts import answers, ask
from tests.e2e.visit import KEY, Visit, models_and, settled
from tests.support.upstream import FakeUpstream

SECRET = "the name of my sister's cat"
STORED = "JSON.stringify([localStorage, sessionStorage])"


def talk(page: Page, person: Person) -> None:
    """Have a conversation that the next person must not read."""
    person.create_key()
    page.goto("/chat/")
    ask(page, SECRET)
    expect(page.get_by_text("Answer complete")).to_be_attached()
    assert SECRET in page.evaluate(STORED)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Account", exact=True).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def sign_in(page: Page, person: Person) -> None:
    page.goto("/sign-in/?next=/chat/")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/chat/")


def sign_out_everywhere(page: Page) -> None:
    page.goto("/account/")
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def delete_account(page: Page) -> None:
    page.goto("/account/")
    page.get_by_role("button", name="Delete account").click()
    page.get_by_role("dialog").get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("dialog").get_by_role("button").filter(has_text="Delete").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def expire(page: Page) -> None:
    """End the session on the server; the browser learns of it at its next visit."""
    page.context.clear_cookies()
    page.goto("/")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("leave", [sign_out, sign_out_everywhere, delete_account, expire])
def test_conversations_are_removed_when_the_session_ends(
    visit: Visit, person: Person, leave: Callable[[Page], None]
) -> None:
    talk(visit.page, person)
    leave(visit.page)
    assert SECRET not in visit.page.evaluate(STORED)


def test_signing_in_removes_another_accounts_conversations(
    visit: Visit, relaying: Server, person: Person
) -> None:
    page = visit.page
    talk(page, person)
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill(f"a draft about {SECRET}")
    # As after another person's sign-in through an identity provider.
    other = relaying.sign_up()
    other.create_key()
    visit.sign_in(other)
    page.reload()
    expect(page.get_by_role("button", name="Conversations")).to_be_visible()
    assert SECRET not in page.evaluate(STORED)
    expect(composer).to_have_value("")


def test_conversations_kept_on_the_device_are_shown_to_their_owner_only(
    visit: Visit, relaying: Server, person: Person
) -> None:
    page = visit.page
    talk(page, person)
    page.get_by_role("button", name="Conversations").click()
    keep = page.get_by_role("switch", name="Keep on this device")
    expect(keep).not_to_be_checked()
    keep.press("Space")
    expect(keep).to_be_checked()
    page.keyboard.press("Escape")
    sign_out(page)
    assert SECRET in page.evaluate(STORED)
    other = relaying.sign_up()
    other.create_key()
    sign_in(page, other)
    page.get_by_role("button", name="Conversations").click()
    expect(page.get_by_text("No conversations yet.")).to_be_visible()
    expect(keep).not_to_be_checked()
    page.keyboard.press("Escape")
    sign_out(page)
    sign_in(page, person)
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("button", name=SECRET, exact=False).first.click()
    expect(answers(page)).to_contain_text("Hello.")


def test_other_tabs_are_signed_out_and_store_nothing_afterwards(
    visit: Visit, person: Person, upstream: FakeUpstream
) -> None:
    page = visit.page
    talk(page, person)

    async def unfinished() -> AsyncIterator[bytes]:
        # Continues until the client disconnects.
        while True:
            yield b'data: {"choices": [{"index": 0, "delta": {"content": "Half "}}]}\n\n'
            await asyncio.sleep(0.1)

    upstream.reply = models_and(
        lambda _seen: StreamingResponse(unfinished(), media_type="text/event-stream")
    )
    ask(page, f"more about {SECRET}")
    expect(answers(page).last).to_contain_text("Half")
    other = visit.open()
    settled(other, "/keys/")
    sign_out(other)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    for tab in (page, other):
        assert SECRET not in tab.evaluate(STORED)


def memory_of(page: Page) -> str:
    """Return a heap snapshot of the page after a garbage collection."""
    devtools = page.context.new_cdp_session(page)
    pieces: list[str] = []
    devtools.on("HeapProfiler.addHeapSnapshotChunk", lambda event: pieces.append(event["chunk"]))
    devtools.send("HeapProfiler.collectGarbage")
    devtools.send("HeapProfiler.takeHeapSnapshot")
    devtools.detach()
    return "".join(pieces)


def test_no_part_of_a_key_stays_in_memory_after_its_panel_is_closed(
    visit: Visit, person: Person
) -> None:
    page = visit.page
    settled(page, "/keys/")
    page.get_by_role("button", name="Create key").click()
    secret = page.get_by_text(KEY).inner_text()
    page.get_by_role("button", name="Send a test request").click()
    expect(page.get_by_text("9 requests left today").first).to_be_visible()
    page.get_by_role("button", name="Copy key").click()
    assert secret in memory_of(page)
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_text("1 of 10 used")).to_be_visible()
    assert secret not in memory_of(page)
    page.go_back()
    page.get_by_role("button", name="Rotate My first key").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    rotated = page.get_by_text(KEY).inner_text()
    page.get_by_role("button", name="Copy key").click()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text(KEY)).to_have_count(0)
    expect(page.get_by_role("button", name="Rotate My first key")).to_be_focused()
    after = memory_of(page)
    assert secret not in after
    assert rotated not in after
    # Back and forth, as by the browser's buttons, leaves the panel too.
    page.get_by_role("link", name="Chat", exact=True).click()
    page.get_by_role("link", name="Keys", exact=True).click()
    page.get_by_role("button", name="Rotate My first key").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    last = page.get_by_text(KEY).inner_text()
    page.get_by_role("button", name="Copy key").click()
    page.evaluate("window.isOld = true")
    page.go_back()
    page.wait_for_url("**/chat/")
    page.wait_for_function("!window.isOld")
    assert last not in memory_of(page)
    assert person.keys()[0]["used"] == 1
