"""Throttles on signing in, signing up and requesting mails.

docs/sign-in.md explains the rules for passwords. Each attempt takes its units before the password
is checked, so concurrent attempts cannot bypass a limit; a right password returns them. Sign-ins
first wait for a turn (`passwords.py`), so few units are taken at a time and right passwords do not
exhaust a shared address's units. The figures follow OWASP's Authentication Cheat Sheet (count by
account, not by address alone) and its "Slow Down Online Guessing Attacks with Device Cookies".
SP 800-63B-4 (3.2.2) caps consecutive wrong attempts at 100; here a slow refill replaces the lock.

Throttles are named by the e-mail address as typed, whether or not it has an account, so they do
not reveal which addresses have one.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import normalise
from daypass.domain.times import DAY_S
from daypass.portal.context import Portal, caller, cookie_name, is_https
from daypass.portal.problems import too_many_attempts
from daypass.records import accounts, throttles
from daypass.records.identifiers import digest
from daypass.records.tables import Account
from daypass.records.throttles import Throttle, ThrottledError

DEVICE_COOKIE = "daypass_device"
DEVICE_LIFETIME_S = 365 * DAY_S
ACCOUNTS_OF_DEVICE = 30
"""Accounts for which one browser is remembered, the most recent ones: many people use a shared
computer. The cookie then has 1.5 kB."""

SIGN_IN_TOGETHER = Throttle(5, 60)
"""For one account, from one known browser or one IP address."""
SIGN_IN_ADDRESS = Throttle(100, 20)
"""From one IP address, across all accounts, for unknown browsers: against password spraying."""
SIGN_IN_PER_ACCOUNT = 2
"""Extra burst of an IP address's throttle for each account that has signed in from there."""
ACCOUNTS_AT_ADDRESS = Throttle(200, DAY_S)
"""A counter rather than a limit: each account that signs in adds at most one unit a day, and one
unit expires each day."""
SIGN_IN_ACCOUNT = Throttle(100, 36)
"""For one account, from all unknown browsers together: against distributed guessing."""
SIGN_UP_ADDRESS = Throttle(60, 60)
"""From one IP address. A class behind one router may sign up within minutes."""
SETUP_ADDRESS = Throttle(10, 60)
"""Wrong set-up links from one IP address."""
OWN_PASSWORD = Throttle(5, 60)
"""For the password that a signed-in browser must enter to confirm a change."""
MAIL_ADDRESS = Throttle(60, 60)
"""Mails requested from one IP address."""


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """An attempt to sign in."""

    portal: Portal
    email: str
    account: str
    """The digest of the e-mail address as typed."""
    network: str
    device: str | None
    """The id of this browser's own throttle, if it has signed in to the account before."""

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
        """Raise ProblemError 429 early, before the attempt waits for its turn."""
        try:
            async with self.portal.database.read() as session:
                await throttles.check(session, await self._units_now(session), self._now_ms())
        except ThrottledError as error:
            raise too_many_attempts(error.wait_ms) from None

    async def begin(self) -> Account | None:
        """Take the units of the attempt and return the account, if it exists. Raises 429."""
        try:
            async with self.portal.database.write() as session:
                await throttles.take(session, await self._units_now(session), self._now_ms())
                return await accounts.find_by_email(session, self.email)
        except ThrottledError as error:
            raise too_many_attempts(error.wait_ms) from None

    async def succeed(self, session: AsyncSession) -> None:
        """Return the units after a right password, and raise the limit of the IP address."""
        await throttles.give_back(session, self._units(SIGN_IN_ADDRESS))
        now_ms = self._now_ms()
        today = f"signed in {self.account} address {self.network}"
        if await throttles.try_to_take(session, today, Throttle(1, DAY_S), now_ms):
            await throttles.try_to_take(session, self._accounts_here, ACCOUNTS_AT_ADDRESS, now_ms)

    @property
    def _accounts_here(self) -> str:
        return f"accounts signed in address {self.network}"

    async def _units_now(self, session: AsyncSession) -> dict[str, Throttle]:
        """Return the attempt's throttles, given how many accounts sign in from its IP address."""
        if self.device is not None:
            return self._units(SIGN_IN_ADDRESS)
        signed_in = await throttles.taken(
            session, self._accounts_here, ACCOUNTS_AT_ADDRESS, self._now_ms()
        )
        burst = SIGN_IN_ADDRESS.burst + SIGN_IN_PER_ACCOUNT * signed_in
        return self._units(SIGN_IN_ADDRESS._replace(burst=burst))

    def _units(self, address_throttle: Throttle) -> dict[str, Throttle]:
        """Return the account's throttles and, for an unknown browser, the IP address's."""
        if self.device is not None:
            return {f"sign-in account {self.account} device {self.device}": SIGN_IN_TOGETHER}
        return {
            f"sign-in account {self.account}": SIGN_IN_ACCOUNT,
            f"sign-in account {self.account} address {self.network}": SIGN_IN_TOGETHER,
            f"sign-in address {self.network}": address_throttle,
        }

    def _now_ms(self) -> int:
        return int(self.portal.clock() * 1000)


async def admit_sign_up(request: Request, portal: Portal) -> None:
    """Count a sign-up. Raises 429.

    Clients on this machine are exempt: they are its operator.
    """
    found = caller(request, portal)
    if not found.is_local:
        await _take(portal, {f"sign-up address {found.network}": SIGN_UP_ADDRESS})


async def admit_wrong_setup_link(request: Request, portal: Portal) -> None:
    """Count a wrong set-up link. Raises 429."""
    await _take(portal, {f"setup address {caller(request, portal).network}": SETUP_ADDRESS})


async def admit_mail(request: Request, portal: Portal) -> None:
    """Count a request for a mail. Raises 429.

    `mail_limits` limits the mails to each mailbox, without refusing requests.
    """
    await _take(portal, {f"mail from address {caller(request, portal).network}": MAIL_ADDRESS})


async def admit_own_password(account_id: str, portal: Portal) -> dict[str, Throttle]:
    """Count a check of the account's own password; `give_back` if right. Raises 429."""
    units = {f"own password {account_id}": OWN_PASSWORD}
    await _take(portal, units)
    return units


async def give_back(portal: Portal, units: Mapping[str, Throttle]) -> None:
    """Return the units of a successful attempt."""
    async with portal.database.write() as session:
        await throttles.give_back(session, units)


async def _take(portal: Portal, units: Mapping[str, Throttle]) -> None:
    try:
        async with portal.database.write() as session:
            await throttles.take(session, units, int(portal.clock() * 1000))
    except ThrottledError as error:
        raise too_many_attempts(error.wait_ms) from None


def remember_device(
    email: str, request: Request, response: Response, portal: Portal, device: str | None = None
) -> None:
    """Set a cookie that marks the browser as known to the account, and still to earlier ones."""
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
    """Return the accounts that used this browser, latest first, and its name for each."""
    token = request.cookies.get(cookie_name(DEVICE_COOKIE, secure=is_https(request, portal)))
    known = portal.signer.read("devices", token) if token else None
    return [(account, name) for account, name in known or []]


def _short(account: str) -> str:
    """Return the first 64 bits of an account digest, which are enough in a signed cookie."""
    return account[:16]
