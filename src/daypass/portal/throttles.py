"""How often people may try: to sign in, to sign up, to have mails sent.

Each attempt takes a unit before anything is looked at, so that many at once are no way around,
and a right password gives it back. The figures follow OWASP's Authentication Cheat Sheet (count
by account, not by address alone) and its "Slow Down Online Guessing Attacks with Device Cookies":
a browser that has signed in to an account before has an allowance of its own there, so that an
attack on the account from elsewhere does not keep its owner out. From a browser that is new he
has one of the account's own units, one more each 36 seconds, or "forgot password". SP 800-63B-4
(3.2.2) caps wrong attempts in a row at 100; this is that, with a slow refill in place of a lock.

Names hold the address that was typed, whether or not there is such an account: a throttle tells
nobody which addresses have one.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request, Response

from daypass.portal.context import Portal, caller, cookie_name, is_https
from daypass.portal.problems import ProblemError
from daypass.records import throttles
from daypass.records.emails import normalise
from daypass.records.identifiers import digest
from daypass.records.throttles import Throttle, ThrottledError

DEVICE_COOKIE = "daypass_device"
DEVICE_LIFETIME_S = 365 * 86_400

SIGN_IN_TOGETHER = Throttle(5, 60)
"""For one account from one browser that it knows, or from one address."""
SIGN_IN_ADDRESS = Throttle(50, 20)
"""From one address, whatever the account: against spraying one password over many."""
SIGN_IN_ACCOUNT = Throttle(100, 36)
"""For one account, from all browsers that it does not know: against guessing from many places."""
SIGN_UP_ADDRESS = Throttle(60, 60)
"""From one address. A class of people behind one router signs up within minutes."""
SETUP_ADDRESS = Throttle(10, 60)
"""Set-up links that one address tries."""
OWN_PASSWORD = Throttle(5, 60)
"""For the password that a signed-in browser is asked for."""
MAIL_ADDRESS = Throttle(60, 60)
"""Mails that one address has sent."""


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """An attempt to sign in that was admitted."""

    portal: Portal
    email: str
    device: str | None
    """The name of this browser's own allowance, if it has signed in before."""
    units: Mapping[str, Throttle]

    async def succeeded(self, request: Request, response: Response) -> None:
        """The password was right: give the units back, and know the browser from now on."""
        async with self.portal.database.write() as session:
            await throttles.give_back(session, self.units)
        remember_device(self.email, request, response, self.portal, self.device)


async def admit_sign_in(email: str, request: Request, portal: Portal) -> SignInAttempt:
    """Take the units of an attempt to sign in. Raises 429."""
    address = caller(request, portal).network
    account = digest(normalise(email))
    device = _device(account, request, portal)
    units = {f"sign-in address {address}": SIGN_IN_ADDRESS}
    if device is None:
        units[f"sign-in account {account}"] = SIGN_IN_ACCOUNT
        units[f"sign-in account {account} address {address}"] = SIGN_IN_TOGETHER
    else:
        units[f"sign-in account {account} device {device}"] = SIGN_IN_TOGETHER
    await _take(portal, units)
    return SignInAttempt(portal, email, device, units)


async def admit_sign_up(request: Request, portal: Portal) -> None:
    """Take the unit of a sign-up. Raises 429.

    Whoever is on this machine, and not behind a proxy on it, is its operator.
    """
    found = caller(request, portal)
    if not found.is_local:
        await _take(portal, {f"sign-up address {found.network}": SIGN_UP_ADDRESS})


async def admit_setup(request: Request, portal: Portal) -> dict[str, Throttle]:
    """Take the unit of a set-up link; `give_back` if it is right. Raises 429."""
    units = {f"setup address {caller(request, portal).network}": SETUP_ADDRESS}
    await _take(portal, units)
    return units


async def admit_mail(request: Request, portal: Portal) -> None:
    """Take the unit of a mail that somebody asks for. Raises 429.

    How many mails a mailbox gets is in `mail_limits`: there, nobody is refused.
    """
    await _take(portal, {f"mail from address {caller(request, portal).network}": MAIL_ADDRESS})


async def admit_own_password(account_id: str, portal: Portal) -> dict[str, Throttle]:
    """Take the unit of a look at one's own password; `give_back` if it is right. Raises 429."""
    units = {f"own password {account_id}": OWN_PASSWORD}
    await _take(portal, units)
    return units


async def give_back(portal: Portal, units: Mapping[str, Throttle]) -> None:
    """The attempt was a right one."""
    async with portal.database.write() as session:
        await throttles.give_back(session, units)


async def _take(portal: Portal, units: Mapping[str, Throttle]) -> None:
    try:
        async with portal.database.write() as session:
            await throttles.take(session, units, int(portal.clock() * 1000))
    except ThrottledError as error:
        seconds = -(-error.wait_ms // 1000)
        unit = "second" if seconds == 1 else "seconds"
        message = f"Too many attempts. Try again in {seconds} {unit}."
        raise ProblemError(429, message, retry_after_s=seconds) from None


def remember_device(
    email: str, request: Request, response: Response, portal: Portal, device: str | None = None
) -> None:
    """Let the browser prove next time that its owner had this account before."""
    secure = is_https(request, portal)
    content = [digest(normalise(email)), device or secrets.token_hex(8)]
    response.set_cookie(
        cookie_name(DEVICE_COOKIE, secure=secure),
        portal.signer.sign("device", content, DEVICE_LIFETIME_S),
        max_age=DEVICE_LIFETIME_S,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def _device(account: str, request: Request, portal: Portal) -> str | None:
    token = request.cookies.get(cookie_name(DEVICE_COOKIE, secure=is_https(request, portal)))
    known = portal.signer.read("device", token) if token else None
    return known[1] if known and known[0] == account else None
