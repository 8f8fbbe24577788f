"""E-mail addresses: how they are compared, and which lead to the same person."""

from unicodedata import normalize

GMAIL = ("gmail.com", "googlemail.com")


def normalise(email: str) -> str:
    """The form in which an address is stored and found: lower case, composed (NFC)."""
    return normalize("NFC", email.strip()).lower()


def canonical(email: str) -> str:
    """The mailbox that an address leads to, as far as that is known of all of its kind.

    What follows a `+` in the local part is the owner's own addition (RFC 5233), and Gmail
    ignores dots and knows two domains. So one mailbox cannot become many accounts.
    """
    local, _, domain = normalise(email).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in GMAIL:
        local, domain = local.replace(".", ""), GMAIL[0]
    return f"{local}@{domain}"
