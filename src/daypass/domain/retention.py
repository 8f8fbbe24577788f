"""How long records are kept."""

from typing import NamedTuple


class Retention(NamedTuple):
    """How many days records are kept that nothing needs any more."""

    receipt_days: int = 7
    audit_days: int = 365
