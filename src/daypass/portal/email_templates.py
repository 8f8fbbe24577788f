"""Every word of the mails that Daypass sends. They are plain text."""

from typing import NamedTuple

FOOTER = "This mail was sent because somebody entered your address at {site}."


class Letter(NamedTuple):
    """A mail without its recipient."""

    subject: str
    text: str


def confirm_sign_up(site: str, token: str) -> Letter:
    """For a new address: the link makes the account."""
    return _letter(
        site,
        "Confirm your address",
        "Somebody, hopefully you, asked for an account with this address. Open this link within "
        "a day, choose a password, and the account is yours:",
        f"{site}/confirm/#token={token}",
        "If it was not you, ignore this mail: nobody gets an account without the link.",
    )


def has_account(site: str) -> Letter:
    """For a sign-up with an address that has an account already."""
    return _letter(
        site,
        "You have an account already",
        "Somebody, perhaps you, tried to sign up with this address, or with another one of your "
        "mailbox. It has an account already. If you do not know the password, choose a new one "
        "here:",
        f"{site}/forgot-password/",
        "If it was not you, ignore this mail: your account is as it was.",
    )


def confirm_address(site: str, token: str) -> Letter:
    """For an account that exists and whose address has never been confirmed."""
    return _letter(
        site,
        "Confirm your address",
        "Open this link within a day to confirm that this address is yours. After that you can "
        "create API keys:",
        f"{site}/confirm/#token={token}",
        "If you did not make an account there, somebody else did with your address. The link "
        "then makes it yours, with a password that you choose; or ignore this mail.",
    )


def reset_password(site: str, token: str, *, is_confirmed: bool) -> Letter:
    """For somebody who forgot their password. `is_confirmed`: the address is known to be theirs."""
    keys_go = (
        "Your address was never confirmed, so somebody else may have made this account. Every "
        "API key in it is deleted when you choose the password."
    )
    return _letter(
        site,
        "Choose a new password",
        "Somebody, hopefully you, asked for a new password. Open this link within 30 minutes to "
        "choose one. It works once:",
        f"{site}/reset-password/#token={token}",
        *(() if is_confirmed else (keys_go,)),
        "If it was not you, ignore this mail: your password stays as it is.",
    )


def _letter(site: str, subject: str, *paragraphs: str) -> Letter:
    host = site.partition("://")[2]
    text = "\n\n".join((*paragraphs, FOOTER.format(site=site)))
    return Letter(f"{subject} ({host})", text + "\n")
