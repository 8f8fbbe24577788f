"""The retention periods of records."""

from typing import NamedTuple


class Retention(NamedTuple):
    """The number of days for which records that are no longer needed are kept."""

    receipt_days: int = 7
    audit_days: int = 365
