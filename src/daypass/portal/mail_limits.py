"""How many mails a mailbox gets, whoever asks for them.

Nobody is refused: beyond these limits no further mail is sent, and the answer is the same. A link
of the same kind, for the same address, is then in the mailbox and works, since a further mail is
allowed sooner than a link expires. So strangers who keep asking neither flood a mailbox nor lock
its owner out.
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
"""Mails of a kind to one address."""


async def take(session: AsyncSession, kind: Kind, email: str, now: float) -> bool:
    """Take the unit of a mail. False: the mailbox has had enough of this kind.

    `now`: Unix time in seconds.
    """
    units = {name: LIMITS[kind] for name in _names(kind, email)}
    try:
        # All units or none.
        async with session.begin_nested():
            await throttles.take(session, units, int(now * 1000))
    except ThrottledError:
        return False
    return True


async def reset(session: AsyncSession, kind: Kind, email: str) -> None:
    """Forget the units that were taken: the link of such a mail was used, and works no more."""
    await throttles.reset(session, _names(kind, email))


def _names(kind: Kind, email: str) -> list[str]:
    """The throttles of an address.

    Other spellings of a mailbox (`a+b@`) are limited together as well, since there is no end of
    them, but apart from its plain one: whoever uses them up leaves the plain one free.
    """
    address, mailbox = normalise(email), canonical(email)
    variants = [f"mail {kind} to variants of {mailbox}"] if address != mailbox else []
    return [f"mail {kind} to {address}", *variants]
