"""How often people may try: to sign in, to sign up, to have mails sent.

The rule for passwords, and why, is in docs/sign-in.md. Each attempt takes its units before the
password is looked at, so that many at once are no way around, and a right password gives them
back. Whoever signs in waits for a turn first (`passwords.py`), so few units are out at a time,
and right passwords do not use up what their neighbours need. The figures follow OWASP's
Authentication Cheat Sheet (count by account, not by address alone) and its "Slow Down Online
Guessing Attacks with Device Cookies". SP 800-63B-4 (3.2.2) caps wrong attempts in a row at 100;
this is that, with a slow refill in place of a lock.

Names hold the address that was typed, whether or not there is such an account: a throttle tells
nobody which addresses have one.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import normalise
from daypass.portal.context import Portal, caller, cookie_name, is_https
from daypass.portal.problems import ProblemError
from daypass.records import accounts, throttles
from daypass.records.identifiers import digest
from daypass.records.tables import Account
from daypass.records.throttles import Throttle, ThrottledError

DEVICE_COOKIE = "daypass_device"
DEVICE_LIFETIME_S = 365 * 86_400
ACCOUNTS_OF_DEVICE = 30
"""Accounts that one browser is known to, the latest ones: a shared computer has many people. The
cookie then has 1.5 kB."""

SIGN_IN_TOGETHER = Throttle(5, 60)
"""For one account from one browser that it knows, or from one address."""
SIGN_IN_ADDRESS = Throttle(100, 20)
"""From one address, over all accounts whose browser is new: against spraying."""
SIGN_IN_PER_ACCOUNT = 2
"""By so many units the allowance of an address is larger for each account that does well there."""
ACCOUNTS_AT_ADDRESS = Throttle(200, 86_400)
"""Not a limit but a count: each account that signs in adds a unit, at most one a day, and each
day one is forgotten."""
SIGN_IN_ACCOUNT = Throttle(100, 36)
"""For one account, from all browsers that it does not know: against guessing from many places."""
SIGN_UP_ADDRESS = Throttle(60, 60)
"""From one address. A class of people behind one router signs up within minutes."""
SETUP_ADDRESS = Throttle(10, 60)
"""Wrong set-up links from one address."""
OWN_PASSWORD = Throttle(5, 60)
"""For the password that a signed-in browser is asked for."""
MAIL_ADDRESS = Throttle(60, 60)
"""Mails that one address has sent."""


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """An attempt to sign in."""

    portal: Portal
    email: str
    account: str
    """The digest of the address that was typed."""
    network: str
    device: str | None
    """The name of this browser's own allowance, if it has signed in before."""

    @classmethod
    def of(cls, email: str, request: Request, portal: Portal) -> Self:
        """Return the attempt that a request makes."""
        account = digest(normalise(email))
        device = _device(account, request, portal)
        return cls(portal, email, account, caller(request, portal).network, device)

    @property
    def subject(self) -> str:
        """Who waits for a turn: a stranger elsewhere must not hold the owner's place."""
        return f"{self.account} {self.device or self.network}"

    async def check(self) -> None:
        """Raise ProblemError 429 for an attempt that need not wait for its turn."""
        try:
            async with self.portal.database.read() as session:
                await throttles.check(session, await self._units_now(session), self._now_ms())
        except ThrottledError as error:
            raise _too_many(error) from None

    async def begin(self) -> Account | None:
        """Take the units of the attempt. Returns the account, if there is one. Raises 429."""
        try:
            async with self.portal.database.write() as session:
                await throttles.take(session, await self._units_now(session), self._now_ms())
                return await accounts.find_by_email(session, self.email)
        except ThrottledError as error:
            raise _too_many(error) from None

    async def succeed(self, session: AsyncSession) -> None:
        """Give the units back: the password was right. Let the address be trusted a little more."""
        await throttles.give_back(session, self._units(SIGN_IN_ADDRESS))
        now_ms = self._now_ms()
        today = f"signed in {self.account} address {self.network}"
        if await throttles.try_to_take(session, today, Throttle(1, 86_400), now_ms):
            await throttles.try_to_take(session, self._accounts_here, ACCOUNTS_AT_ADDRESS, now_ms)

    @property
    def _accounts_here(self) -> str:
        return f"accounts signed in address {self.network}"

    async def _units_now(self, session: AsyncSession) -> dict[str, Throttle]:
        """The units of this attempt, by how many accounts do well at the caller's address."""
        if self.device is not None:
            return self._units(SIGN_IN_ADDRESS)
        doing_well = await throttles.taken(
            session, self._accounts_here, ACCOUNTS_AT_ADDRESS, self._now_ms()
        )
        burst = SIGN_IN_ADDRESS.burst + SIGN_IN_PER_ACCOUNT * doing_well
        return self._units(SIGN_IN_ADDRESS._replace(burst=burst))

    def _units(self, of_address: Throttle) -> dict[str, Throttle]:
        """The account's own throttles, and for a browser that is new to it the address's."""
        if self.device is not None:
            return {f"sign-in account {self.account} device {self.device}": SIGN_IN_TOGETHER}
        return {
            f"sign-in account {self.account}": SIGN_IN_ACCOUNT,
            f"sign-in account {self.account} address {self.network}": SIGN_IN_TOGETHER,
            f"sign-in address {self.network}": of_address,
        }

    def _now_ms(self) -> int:
        return int(self.portal.clock() * 1000)


async def admit_sign_up(request: Request, portal: Portal) -> None:
    """Take the unit of a sign-up. Raises 429.

    Whoever is on this machine, and not behind a proxy on it, is its operator.
    """
    found = caller(request, portal)
    if not found.is_local:
        await _take(portal, {f"sign-up address {found.network}": SIGN_UP_ADDRESS})


async def admit_wrong_setup_link(request: Request, portal: Portal) -> None:
    """Take the unit of a set-up link that is wrong. Raises 429."""
    await _take(portal, {f"setup address {caller(request, portal).network}": SETUP_ADDRESS})


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
        raise _too_many(error) from None


def _too_many(error: ThrottledError) -> ProblemError:
    seconds = -(-error.wait_ms // 1000)
    unit = "second" if seconds == 1 else "seconds"
    message = f"Too many attempts. Try again in {seconds} {unit}."
    return ProblemError(429, message, retry_after_s=seconds)


def remember_device(
    email: str, request: Request, response: Response, portal: Portal, device: str | None = None
) -> None:
    """Let the browser prove next time that its owner had this account before.

    It stays known to the accounts that other people had in it.
    """
    secure = is_https(request, portal)
    account = _short(digest(normalise(email)))
    devices = {account: device or secrets.token_hex(8)}
    devices |= {other: name for other, name in _devices(request, portal) if other != account}
    content = list(devices.items())[:ACCOUNTS_OF_DEVICE]
    response.set_cookie(
        cookie_name(DEVICE_COOKIE, secure=secure),
        portal.signer.sign("devices", content, DEVICE_LIFETIME_S),
        max_age=DEVICE_LIFETIME_S,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def _device(account: str, request: Request, portal: Portal) -> str | None:
    return dict(_devices(request, portal)).get(_short(account))


def _devices(request: Request, portal: Portal) -> list[tuple[str, str]]:
    """The accounts that this browser had, the latest first, and its name for each of them."""
    token = request.cookies.get(cookie_name(DEVICE_COOKIE, secure=is_https(request, portal)))
    known = portal.signer.read("devices", token) if token else None
    return [(account, name) for account, name in known or []]


def _short(account: str) -> str:
    """The beginning of an account's digest: 64 bits are enough in a signed cookie."""
    return account[:16]
