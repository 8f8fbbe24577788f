"""The plain-text e-mails that Daypass sends."""

from typing import NamedTuple

FOOTER = "You received this e-mail because someone entered your address at {place}."


class Site(NamedTuple):
    """The site that sends an e-mail: its URL, and its name if it has one."""

    url: str
    name: str | None = None


class Letter(NamedTuple):
    """An e-mail without its addresses. `sender` is the name of the sender, if it has one."""

    subject: str
    text: str
    sender: str | None = None


def confirm_sign_up(site: Site, token: str) -> Letter:
    """Return the e-mail for a new address. Its link creates the account."""
    return _letter(
        site,
        "Confirm your address",
        "Thanks for signing up. To finish creating your account, open this link within a day and "
        "choose a password:",
        f"{site.url}/confirm/#token={token}",
        "If you did not sign up, ignore this e-mail. No account is created without the link.",
    )


def has_account(site: Site) -> Letter:
    """Return the e-mail for a sign-up with an address that already has an account."""
    return _letter(
        site,
        "You already have an account",
        "Someone tried to sign up with this address or an alias of it. You already have an "
        "account. If you forgot your password, choose a new one here:",
        f"{site.url}/forgot-password/",
        "If this was not you, ignore this e-mail. Your account has not changed.",
    )


def confirm_address(site: Site, token: str) -> Letter:
    """Return the e-mail for an existing account with an unconfirmed address."""
    return _letter(
        site,
        "Confirm your address",
        "Open this link within a day to confirm your address. You can then create API keys:",
        f"{site.url}/confirm/#token={token}",
        "If you did not create this account, someone else used your address. Open the link to "
        "take over the account with a new password, or ignore this e-mail.",
    )


def reset_password(site: Site, token: str, *, is_confirmed: bool) -> Letter:
    """Return the e-mail for a forgotten password. `is_confirmed`: the address is confirmed."""
    keys_go = (
        "Your address was never confirmed, so someone else may have created this account. All its "
        "API keys are deleted when you choose a new password."
    )
    return _letter(
        site,
        "Choose a new password",
        "Open this link within 30 minutes to choose a new password. It works once:",
        f"{site.url}/reset-password/#token={token}",
        *(() if is_confirmed else (keys_go,)),
        "If you did not ask for this, ignore this e-mail. Your password has not changed.",
    )


def reset_link_created(site: Site) -> Letter:
    """Return the e-mail that tells a person that an operator can hand over a reset link."""
    return _letter(
        site,
        "A link to change your password",
        "An operator of this site created a link with which the password of your account can be "
        "changed. It works once, within a day. Whoever opens it can sign in to your account.",
        "If you asked for it, the operator gives you the link, and you need to do nothing else.",
        "If you did not, choose a new password yourself, which makes the link useless:",
        f"{site.url}/forgot-password/",
    )


def _letter(site: Site, subject: str, *paragraphs: str) -> Letter:
    name = site.name or site.url.partition("://")[2]
    place = f"{site.name} ({site.url})" if site.name else site.url
    text = "\n\n".join((*paragraphs, FOOTER.format(place=place)))
    return Letter(f"{subject} ({name})", text + "\n", site.name)
