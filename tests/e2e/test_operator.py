"""An operator's work, done on a phone."""

from playwright.sync_api import Browser, expect

from tests.conftest import PASSWORD, Person, Server
from tests.e2e.visit import PHONE, Visit, fits

LONG = "somebody.with.a.rather.long.name.and.department@subdomain.example.org"


def test_an_operator_uses_every_operator_page_on_a_phone(
    browser: Browser, operated: tuple[Server, Person]
) -> None:
    server, operator = operated
    visit = Visit(browser, server, PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    visit.sign_in(operator)
    page = visit.page
    page.goto("/operator/")
    nav = page.get_by_role("navigation", name="Operator pages")
    dialog = page.get_by_role("dialog")
    toasts = page.get_by_role("status")

    def turn_to(name: str) -> None:
        nav.get_by_role("link", name=name).tap()
        expect(nav.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
        expect(page.locator("main .animate-pulse")).to_have_count(0)
        assert fits(page), name

    expect(page.get_by_text("Today, all users")).to_be_visible()
    assert fits(page)

    turn_to("Plans")
    page.get_by_role("button", name="New plan").tap()
    dialog.get_by_label("Name").fill("A workshop in the afternoon, for everyone who comes")
    dialog.get_by_label("ID").fill("workshop")
    dialog.get_by_label("Amount").fill("100")
    assert fits(page)
    dialog.get_by_role("button", name="Create plan").tap()
    expect(toasts.get_by_text("Plan created.")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Retire A workshop").tap()
    dialog.get_by_role("button", name="Retire").tap()
    expect(toasts.get_by_text("Plan retired.")).to_be_visible()

    turn_to("Sign-up")
    page.get_by_label("Note").fill(LONG)
    page.get_by_role("button", name="Create link").tap()
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name=f"Withdraw {LONG}").tap()
    expect(toasts.get_by_text("Invitation withdrawn.")).to_be_visible()

    turn_to("People")
    token = operator.http.post("/api/operator/invitations", json={}).json()["token"]
    body = {"email": LONG, "password": PASSWORD, "invitation": token}
    assert server.client().post("/api/accounts", json=body).status_code == 201
    page.get_by_role("searchbox").fill("somebody")
    page.get_by_role("button", name=f"Delete: {LONG}").tap()
    dialog.get_by_role("button", name="Delete").tap()
    expect(toasts.get_by_text("Account deleted.")).to_be_visible()
    expect(page.get_by_text("No results.")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name=f"Disable: {operator.email}").tap()
    expect(dialog).to_be_visible()
    assert fits(page)
    dialog.get_by_role("button", name="Cancel").tap()

    turn_to("Keys")
    page.get_by_role("searchbox").fill("laptop")
    page.get_by_role("button", name="Change plan").first.tap()
    dialog.get_by_label("Plan").select_option("20 requests per day")
    dialog.get_by_role("button", name="Save").tap()
    expect(toasts.get_by_text("Plan changed.")).to_be_visible()
    assert fits(page)

    turn_to("Audit log")
    expect(page.get_by_text("invitation withdrawn").first).to_be_visible()
    assert visit.take_faults() == []
    visit.close()


def test_settings_are_changed_on_a_phone(browser: Browser, operated: tuple[Server, Person]) -> None:
    server, operator = operated
    visit = Visit(browser, server, PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    visit.sign_in(operator)
    page = visit.page
    page.goto("/operator/settings/")
    ceilings = page.get_by_role("region", name="Limits of the site")
    cost = ceilings.get_by_label("US dollars per month")
    cost.fill("2.5000001")
    cost.press("Enter")
    expect(ceilings.get_by_role("alert")).to_contain_text("at most six decimals")
    expect(cost).to_be_focused()
    assert fits(page)

    sign_up = page.get_by_role("region", name="Sign-up")
    sign_up.get_by_label("E-mail domains").fill("school.example, not@domain")
    sign_up.get_by_role("button", name="Save").tap()
    expect(sign_up.get_by_role("alert")).to_contain_text("is not a domain")
    assert all("422" in fault for fault in visit.take_faults())
    sign_up.get_by_label("E-mail domains").fill("")
    mode = sign_up.get_by_label("New accounts")
    expect(mode).to_have_value("By invitation")
    expect(mode).not_to_be_editable()
    expect(sign_up.get_by_text("Set in DAYPASS_SIGN_UP")).to_be_visible()
    sign_up.get_by_label("API keys per account").fill("5")
    sign_up.get_by_role("button", name="Save").tap()
    expect(page.get_by_role("status").get_by_text("Settings saved.")).to_be_visible()
    # Unsaved input in another group stays.
    expect(cost).to_have_value("2.5000001")
    cost.fill("250.5")
    cost.press("Enter")
    expect(ceilings.get_by_text("Changes take effect")).to_be_visible()
    page.reload()
    expect(cost).to_have_value("250.5")
    assert fits(page)
    assert visit.take_faults() == []
    visit.close()
    found = operator.http.get("/api/operator/settings").json()["settings"]
    changed = {x["name"]: x["value"] for x in found if x["source"] == "site"}
    assert changed == {"max_keys_per_account": 5, "site_cost_per_month": 250_500_000}
    restored = operator.http.patch("/api/operator/settings", json=dict.fromkeys(changed))
    assert restored.status_code == 200
