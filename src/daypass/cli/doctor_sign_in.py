"""Checks of `daypass doctor` for signing in: secret key, proxies, mail, OpenID Connect."""

import smtplib
from urllib.parse import urlsplit

from daypass.cli.finding import Finding
from daypass.config.secret_key import existing_secret_keys
from daypass.config.settings import Settings, SettingsError
from daypass.portal.identity.choice import choose_provider
from daypass.portal.identity.provider import Handshake, IdentityError
from daypass.portal.mailer import open_mailer
from daypass.records.database import is_sqlite


async def examine_sign_in(settings: Settings) -> list[Finding]:
    """Check those that are configured."""
    return [
        *_examine_secret(settings),
        *_examine_proxies(settings),
        *await _examine_mail(settings),
        *await _examine_provider(settings),
    ]


def _examine_secret(settings: Settings) -> list[Finding]:
    try:
        existing_secret_keys(settings)
    except SettingsError as error:
        return [Finding("secret", False, str(error))]
    if settings.secret_keys or is_sqlite(settings.database_address):
        return []
    advice = "On several machines set the same DAYPASS_SECRET_KEY on each."
    return [Finding("secret", True, "this machine's own", advice)]


def _examine_proxies(settings: Settings) -> list[Finding]:
    if settings.trusted_proxies:
        return [Finding("proxies", True, ", ".join(str(x) for x in settings.trusted_proxies))]
    if urlsplit(settings.public_url or "").scheme != "https":
        return []
    advice = (
        "Name what ends https before Daypass in DAYPASS_TRUSTED_PROXIES (127.0.0.1, when it is on "
        "this machine): without it all people seem to call from one address, and are throttled "
        "together."
    )
    return [Finding("proxies", True, "none is trusted", advice)]


async def _examine_mail(settings: Settings) -> list[Finding]:
    mailer = open_mailer(settings)
    if mailer is None:
        return []
    where = urlsplit(mailer.url).hostname or ""
    try:
        await mailer.check()
    except (OSError, smtplib.SMTPException) as error:
        advice = "Check DAYPASS_SMTP_URL: scheme, host, port, user and password."
        found = f"{where} does not take mail ({type(error).__name__})"
        return [Finding("mail", False, found, advice)]
    return [Finding("mail", True, f"{where} takes mail from {mailer.sender}")]


async def _examine_provider(settings: Settings) -> list[Finding]:
    provider = choose_provider(settings)
    if provider is None:
        return []
    what = f"sign-in with {settings.sign_in_with}"
    try:
        await provider.address(Handshake.new())
    except IdentityError:
        advice = (
            "Check DAYPASS_OIDC_ISSUER: below it there must be /.well-known/openid-configuration "
            "that names the same issuer."
        )
        return [Finding(what, False, f"{settings.oidc_issuer} does not describe itself", advice)]
    return [Finding(what, True, str(settings.oidc_issuer))]
