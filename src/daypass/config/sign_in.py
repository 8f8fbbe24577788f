"""The settings for signing in: the secret key, proxies, e-mail and OpenID Connect."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr, field_validator
from pydantic import model_validator as validate_model
from pydantic_settings import BaseSettings, NoDecode

from daypass.config.addresses import check_http_url, check_server
from daypass.domain.emails import parse_email

MIN_SECRET_LENGTH = 32
GITHUB = "https://github.com"
SMTP_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}

_NAMES = {GITHUB: "GitHub", "https://accounts.google.com": "Google"}


def _split_commas(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = [x for x in re.split(r"[,\s]+", value) if x]
    if value and not parts:
        raise ValueError("holds commas only: name something, or leave it empty")
    return parts


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_commas)]
Network = IPv4Network | IPv6Network


def _to_networks(value: object) -> object:
    parts = _split_commas(value)
    return tuple(map(_to_network, parts)) if isinstance(parts, list | tuple) else parts


def _to_network(value: object) -> object:
    try:
        return ip_network(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"{error}: write addresses or networks, such as 10.0.0.0/8") from None


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_to_networks)]


class SignInSettings(BaseSettings):
    """The part of `Settings` for signing in."""

    public_url: str | None = None
    secret_key: SecretStr | None = None
    trusted_proxies: Networks = ()
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str | None = None
    smtp_url: SecretStr | None = None
    mail_from: str | None = None

    @field_validator("secret_key")
    @classmethod
    def _check_secret_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and any(len(key) < MIN_SECRET_LENGTH for key in _keys_of(value)):
            raise ValueError(
                f"each key needs at least {MIN_SECRET_LENGTH} characters: generate one with "
                "'openssl rand -hex 32'"
            )
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(check_http_url(value))
        if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
            raise ValueError("must be an https URL, such as https://accounts.google.com")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        parts = urlsplit(value.get_secret_value())
        # An unencoded password could be taken for the host or port and appear in error messages.
        is_plain = re.fullmatch(r"[^:]+://([^@/?#\s]*@)?[^@\s]+", value.get_secret_value())
        if not is_plain or parts.scheme not in SMTP_PORTS or not parts.hostname:
            raise ValueError(
                "must be smtps://user:password@host, smtp+starttls://user:password@host "
                "or smtp://host; special characters in a password must be percent-encoded"
            )
        check_server(value.get_secret_value())
        if parts.scheme == "smtp" and parts.password and not _is_loopback(parts.hostname):
            raise ValueError(
                "smtp:// would send the password unencrypted: use smtps:// or smtp+starttls://"
            )
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_mail_from(cls, value: str | None) -> str | None:
        return parse_email(value).normalized if value else None

    @validate_model(mode="after")
    def _check_together(self) -> Self:
        oidc = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if any(oidc) and not all((*oidc, self.public_url)):
            raise ValueError(
                "DAYPASS_OIDC_ISSUER, DAYPASS_OIDC_CLIENT_ID and DAYPASS_OIDC_CLIENT_SECRET go "
                "together, and need DAYPASS_PUBLIC_URL: the provider sends people back to it"
            )
        if (self.smtp_url or self.mail_from) and not (
            self.smtp_url and self.mail_from and self.public_url
        ):
            raise ValueError(
                "DAYPASS_SMTP_URL and DAYPASS_MAIL_FROM go together, and need "
                "DAYPASS_PUBLIC_URL: mails link to it"
            )
        return self

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """Return the keys in `DAYPASS_SECRET_KEY`: the first signs, all verify."""
        return _keys_of(self.secret_key) if self.secret_key else ()

    @property
    def sign_in_with(self) -> str | None:
        """Return the OpenID provider's name for the sign-in button; None if not configured."""
        if self.oidc_issuer is None:
            return None
        known = _NAMES.get(self.oidc_issuer.rstrip("/"))
        return self.oidc_name or known or urlsplit(self.oidc_issuer).hostname


def _keys_of(secret: SecretStr) -> tuple[str, ...]:
    return tuple(key.strip() for key in secret.get_secret_value().split(","))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
