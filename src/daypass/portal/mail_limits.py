"""Limits on the mails sent to one mailbox, regardless of who requests them.

Requests beyond a limit get the same response, but no mail is sent. The mailbox then already holds
a working link of the same kind, because the limit allows another mail before a link expires. Thus
strangers can neither flood a mailbox nor lock its owner out.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import canonical, normalise
from daypass.portal.outbox import Kind
from daypass.records import throttles
from daypass.records.throttles import Throttle, ThrottledError

_HOURLY = Throttle(3, 3600)

LIMITS: dict[Kind, Throttle] = {
    "sign-up": _HOURLY,
    "has-account": _HOURLY,
    "address": _HOURLY,
    "password-reset": Throttle(3, 1200),
}
"""The limit for each kind of mail to one address."""


async def take(session: AsyncSession, kind: Kind, email: str, now: float) -> bool:
    """Count a mail. Return False if the mailbox has reached the limit for this kind.

    `now` is Unix time in seconds.
    """
    units = {name: LIMITS[kind] for name in _names(kind, email)}
    try:
        # Take all units or none.
        async with session.begin_nested():
            await throttles.take(session, units, int(now * 1000))
    except ThrottledError:
        return False
    return True


async def reset(session: AsyncSession, kind: Kind, email: str) -> None:
    """Reset the limits, because a link of this kind was used and no longer works."""
    await throttles.reset(session, _names(kind, email))


def _names(kind: Kind, email: str) -> list[str]:
    """Return the names of an address's throttles.

    All variants of a mailbox (`a+b@`) also share one throttle, because there are endless variants.
    The plain address is not part of it, so exhausting the variants does not block it.
    """
    address, mailbox = normalise(email), canonical(email)
    variants = [f"mail {kind} to variants of {mailbox}"] if address != mailbox else []
    return [f"mail {kind} to {address}", *variants]
