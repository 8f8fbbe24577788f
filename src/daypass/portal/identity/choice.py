"""The choice of the identity provider."""

from daypass.config.settings import Settings
from daypass.config.sign_in import GITHUB
from daypass.portal.identity.provider import IdentityProvider
from daypass.portal.identity.routes import CALLBACK


def choose_provider(settings: Settings) -> IdentityProvider | None:
    """Return the identity provider of the settings, or None."""
    issuer, secret = settings.oidc_issuer, settings.oidc_client_secret
    if issuer is None or secret is None:
        return None
    # Slow to import, and most installations do not use them.
    from daypass.portal.identity.github import GitHub  # noqa: PLC0415
    from daypass.portal.identity.openid import OpenIdProvider  # noqa: PLC0415
    from daypass.portal.identity.registration import Registration  # noqa: PLC0415

    registration = Registration(
        settings.oidc_client_id or "", secret.get_secret_value(), f"{settings.public_url}{CALLBACK}"
    )
    if issuer.rstrip("/") == GITHUB:
        return GitHub(registration)
    return OpenIdProvider(issuer, registration)
