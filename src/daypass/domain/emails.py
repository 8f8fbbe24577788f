"""E-mail addresses: which are valid, and which belong to the same mailbox."""

from unicodedata import normalize

import email_validator
from email_validator import EmailNotValidError, ValidatedEmail

# Mail servers on local networks accept these names, which RFC 6762 and RFC 6761 reserve for such
# networks. The library documents this list as the place to allow them.
for _name in ("local", "localhost"):
    email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)

GMAIL = ("gmail.com", "googlemail.com")


def parse_email(value: str) -> ValidatedEmail:
    """Parse one address. Raises ValueError if it is not valid."""
    try:
        return email_validator.validate_email(
            value, check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def normalise(email: str) -> str:
    """Return the form in which an address is stored and looked up: lower case, NFC."""
    return normalize("NFC", email.strip()).lower()


def canonical(email: str) -> str:
    """Return the mailbox that an address belongs to, so that one mailbox has one account.

    The part after a `+` is a subaddress (RFC 5233). Gmail also ignores dots and has two domains.
    """
    local, _, domain = normalise(email).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in GMAIL:
        local, domain = local.replace(".", ""), GMAIL[0]
    return f"{local}@{domain}"
