"""What `daypass doctor` has looked at."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing looked at."""

    what: str
    ok: bool
    found: str
    advice: str = ""
