"""Which e-mail addresses are valid: pure."""

import email_validator
from email_validator import EmailNotValidError, ValidatedEmail

# On a local network these names are as good as public ones, and mail servers there take them (RFC
# 6762 and 6761 give them to it). The library documents this list as the place to allow them.
for _name in ("local", "localhost"):
    email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)


def parse_email(value: str) -> ValidatedEmail:
    """Return an address in its forms. Raises ValueError for what is not one address."""
    try:
        return email_validator.validate_email(
            value, check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
