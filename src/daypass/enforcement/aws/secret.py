"""The secret that proves to the gateway that a request came through API Gateway."""

import os
import secrets

from daypass.config.settings import Settings, SettingsError

FILE = "aws-gateway-secret"


def gateway_secret(settings: Settings) -> str:
    """Return the secret in the settings, else the one that `daypass aws deploy` saved."""
    secret = _known(settings)
    if secret is None:
        raise SettingsError(
            f"DAYPASS_AWS_GATEWAY_SECRET: there is none, and no {settings.data_dir / FILE}. "
            "'daypass aws deploy' makes one: run it here, or set what it left on that machine"
        )
    return secret


def make_gateway_secret(settings: Settings) -> str:
    """Return the saved secret, or save a new one in the data directory with mode 0600."""
    secret = _known(settings)
    if secret is None:
        secret = secrets.token_hex(32)
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = settings.data_dir / FILE
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret)
    return secret


def _known(settings: Settings) -> str | None:
    if settings.aws_gateway_secret is not None:
        return settings.aws_gateway_secret.get_secret_value()
    path = settings.data_dir / FILE
    return path.read_text().strip() if path.is_file() else None
