"""The look of the site and its terms, as operators set them and visitors meet them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.conftest import PASSWORD, Person, Server, start_server
from tests.domain.test_svg import svg
from tests.e2e.test_accessibility import violations
from tests.e2e.visit import PHONE, Visit, fits, settled

NAME = '<script>alert("lab")</script> & Söhne'
WELCOME = "Welcome to the lab.\n\nRead https://example.org/rules first."
IS_UNCOVERED = """() => {
  const link = document.querySelector('nav a[href="/operator/tokens/"][aria-current]');
  const { right, top, height } = link?.getBoundingClientRect() ?? {};
  return link && document.elementFromPoint(right - 8, top + height / 2) === link;
}"""
LOGO = svg('<rect width="40" height="20" fill="#7c3aed"/>')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("look"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.sign_up()


def change(operator: Person, **values: object) -> None:
    changed = operator.http.patch("/api/operator/settings", json=values)
    assert changed.status_code == 200, changed.text


def drawing(file: bytes) -> FilePayload:
    return {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": file}


def accent_of(page: Page) -> str:
    accent: str = page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--accent')"
    )
    return accent


def check(visit: Visit) -> None:
    assert violations(visit.page) == []
    assert fits(visit.page)
    assert visit.take_faults() == []


def test_an_operator_sets_the_look_on_a_phone(
    browser: Browser, site: Server, operator: Person
) -> None:
    visit = Visit(browser, site, PHONE, reduced_motion="reduce", color_scheme="dark")
    visit.sign_in(operator)
    page = visit.page
    settled(page, "/operator/settings/")
    form = page.get_by_role("region", name="Look and words")
    form.get_by_label("Site name").fill(NAME)
    form.get_by_label("Accent colour").fill("purple")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert").filter(has_text="six hexadecimal digits")).to_be_visible()
    assert [x for x in visit.take_faults() if "422" not in x] == []
    form.get_by_label("Accent colour").fill("#7c3aed")
    form.get_by_label("Welcome text").fill(WELCOME)
    form.get_by_label("Text", exact=True).first.fill("Closed on Friday.")
    form.get_by_label("From").fill("2026-01-01T08:00")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Changes take effect within a second.")).to_be_visible()
    expect(page).to_have_title(f"Settings · {NAME}")
    expect(form.get_by_role("list", name="The accent colour in each theme")).to_contain_text(
        "Light: #7c3aed"
    )
    # The page that made the change shows it at once.
    page.wait_for_function("!getComputedStyle(document.documentElement)"
                           ".getPropertyValue('--accent').includes('34d399')")  # fmt: skip
    expect(page.get_by_text("Closed on Friday.").first).to_be_visible()
    upload = form.get_by_label("Logo file")
    upload.set_input_files(drawing(svg("<script/>")))
    expect(form.get_by_text("contains <script>, which is not allowed")).to_be_visible()
    assert [x for x in visit.take_faults() if "422" not in x] == []
    upload.set_input_files(drawing(LOGO))
    expect(form.get_by_role("img", name="The present logo")).to_be_visible()
    expect(form.get_by_text("which is not allowed")).to_have_count(0)
    check(visit)
    # A long name leaves the navigation on one line, and the last page is not below the checklist.
    page.get_by_role("link", name="steps done").wait_for()
    for width in (360, 768):
        page.set_viewport_size({"width": width, "height": 800})
        page.get_by_role("link", name="Tokens").click()
        expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()
        page.wait_for_function(IS_UNCOVERED)
        assert page.get_by_role("link", name="Usage").bounding_box()["height"] < 40  # type: ignore[index]
        assert fits(page)
    visit.close()
    assert operator.http.get("/api/site").json()["welcome_text"] == WELCOME


def test_visitors_see_the_sites_look_from_the_first_paint(
    browser: Browser, site: Server, operator: Person
) -> None:
    change(
        operator,
        site_name=NAME,
        accent_colour="#7c3aed",
        welcome_text=WELCOME,
        announcement={"text": "Closed on Friday: https://example.org/news"},
    )
    headers = {"content-type": "image/svg+xml"}
    assert operator.http.put("/api/operator/logo", content=LOGO, headers=headers).is_success
    visit = Visit(browser, site, PHONE, reduced_motion="reduce", color_scheme="dark")
    page = visit.page
    # Without scripts' chunks, only what the server sent is painted.
    page.route("**/_next/static/chunks/*.js", lambda route: route.abort())
    page.goto("/")
    header = page.get_by_role("banner")
    expect(header.get_by_text(NAME)).to_be_visible()
    expect(page).to_have_title(f"{NAME}: API keys with a daily allowance")
    first = accent_of(page)
    assert first == "#9b69f1"
    logo = header.locator("span[aria-hidden]").first.bounding_box()
    assert logo is not None
    assert logo["width"] == pytest.approx(2 * logo["height"], abs=1)
    page.unroute_all()
    visit.take_faults()
    settled(page, "/")
    expect(header.get_by_text(NAME)).to_be_visible()
    assert accent_of(page) == first
    page.evaluate("document.documentElement.classList.remove('dark')")
    assert accent_of(page) == "#7c3aed"
    expect(page.get_by_text("Welcome to the lab.")).to_be_visible()
    link = page.get_by_role("link", name="https://example.org/rules")
    expect(link).to_have_attribute("href", "https://example.org/rules")
    expect(page).to_have_title(f"{NAME}: API keys with a daily allowance")
    note = page.get_by_role("complementary", name="Announcement")
    expect(note).to_contain_text("Closed on Friday")
    check(visit)
    # A title keeps the name when the page is left without loading another document.
    header.get_by_role("link", name="Sign in").click()
    expect(page).to_have_title(f"Sign in · {NAME}")
    note.get_by_role("button", name="Dismiss announcement").click()
    expect(note).to_have_count(0)
    page.reload()
    expect(header.get_by_text(NAME)).to_be_visible()
    page.get_by_role("heading", level=1).wait_for()
    expect(note).to_have_count(0)
    change(operator, announcement={"text": "Open again."})
    page.reload()
    expect(note).to_contain_text("Open again.")
    check(visit)
    visit.close()


def test_terms_are_accepted_at_sign_up_and_again_when_they_change(
    browser: Browser, site: Server, operator: Person
) -> None:
    change(operator, terms={"text": "Be kind.\n\nShare nothing.", "version": "1"})
    visit = Visit(browser, site, PHONE, reduced_motion="reduce", color_scheme="dark")
    page = visit.page
    settled(page, "/sign-up/")
    box = page.get_by_role("checkbox", name="I have read and accept the terms of this site.")
    expect(box).to_be_visible()
    page.get_by_label("E-mail address").fill("ada@terms.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert").filter(has_text="Accept the terms")).to_be_visible()
    expect(box).to_be_focused()
    check(visit)
    with visit.context.expect_page() as opened:
        page.get_by_role("link", name="terms of this site").click()
    expect(opened.value.get_by_text("Share nothing.")).to_be_visible()
    opened.value.close()
    page.keyboard.press("Shift+Tab")
    box.press("Space")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/keys/")
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    assert visit.take_faults() == []
    # A new version stands before every page, until it is accepted.
    change(operator, terms={"text": "Be kind and brief.", "version": "2"})
    page.goto("/usage/")
    expect(page.get_by_role("heading", name="The terms have changed")).to_be_visible()
    expect(page.get_by_text("Be kind and brief.")).to_be_visible()
    assert violations(page) == []
    assert fits(page)
    assert [x for x in visit.take_faults() if "403" not in x] == []
    page.get_by_role("button", name="Accept the terms").click()
    expect(page.get_by_role("heading", name="Usage")).to_be_visible()
    expect(page.get_by_text("Accept the terms")).to_have_count(0)
    settled(page, "/keys/")
    check(visit)
    visit.close()
    change(operator, terms=None)
