"""All settings. `DAYPASS_*` environment variables take precedence over `daypass.toml`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic import model_validator as validate_model
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from daypass.config.addresses import (
    check_ascii,
    check_database_url,
    check_email_domain,
    check_host,
    check_http_url,
    check_origin,
    check_path,
    check_redis_url,
    check_site_url,
)
from daypass.config.file import (
    CONFIG_VARIABLE,
    ENV_PREFIX,
    SettingsError,
    SettingsFile,
    check_config_path,
    config_path,
    setting_location,
)
from daypass.config.look import AccentColour, Announcement, SiteName, Terms, WelcomeText
from daypass.config.plans import MOST, Dollars, PlanSettings
from daypass.config.prices import PriceSettings
from daypass.config.sign_in import CommaSeparated, SignInSettings
from daypass.config.site_settings import CEILINGS, EMBEDDED_ONLY, SignUpMode, SiteSettings
from daypass.config.upstream import check_upstream_key, check_upstream_url
from daypass.config.upstreams import DEFAULT_NAME, UpstreamSettings, check_upstream_address
from daypass.domain.plans import DEFAULT_PLANS, UsagePlan
from daypass.domain.retention import Retention
from daypass.observability.logging import LogFormat

__all__ = ["Settings", "SettingsError", "load_settings"]

SECRET_VARIABLE = "DAYPASS_SECRET_KEY"  # noqa: S105  (a name)
OPENAI_BASE_URL = "https://api.openai.com/v1"


class Settings(SignInSettings):
    """The settings of one Daypass process. Build it with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    upstream_base_url: str = OPENAI_BASE_URL
    upstream_api_key: SecretStr | None = None
    upstream_private_addresses: Literal["allow", "refuse"] = "allow"
    demo: bool = False
    data_dir: Path = Path("data")
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    redis_wait_replicas: int = Field(default=0, ge=0, le=100)
    fail_open: bool = False
    give_back_timeouts: bool = False
    enforcer: Literal["embedded", "aws"] = "embedded"
    aws_rest_api_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9]{1,32}$")
    aws_stage: str = Field(default="v1", pattern=r"^[A-Za-z0-9_-]{1,128}$")
    aws_base_url: str | None = None
    aws_gateway_secret: SecretStr | None = Field(default=None, min_length=20, max_length=200)
    aws_endpoint_url: str | None = None
    allowed_hosts: CommaSeparated = ()
    cors_origins: CommaSeparated = ()
    paused: bool = False
    sign_up: SignUpMode = "open"
    allowed_email_domains: CommaSeparated = ()
    max_keys_per_account: int = Field(default=3, ge=1, le=1000)
    account_requests_per_day: int | None = Field(default=None, ge=0, le=MOST)
    account_requests_per_month: int | None = Field(default=None, ge=0, le=MOST)
    account_tokens_per_day: int | None = Field(default=None, ge=0, le=MOST)
    account_tokens_per_month: int | None = Field(default=None, ge=0, le=MOST)
    account_cost_per_day: Dollars | None = None
    account_cost_per_month: Dollars | None = None
    site_requests_per_day: int | None = Field(default=None, ge=0, le=MOST)
    site_requests_per_month: int | None = Field(default=None, ge=0, le=MOST)
    site_tokens_per_day: int | None = Field(default=None, ge=0, le=MOST)
    site_tokens_per_month: int | None = Field(default=None, ge=0, le=MOST)
    site_cost_per_day: Dollars | None = None
    site_cost_per_month: Dollars | None = None
    site_name: SiteName | None = None
    accent_colour: AccentColour | None = None
    welcome_text: WelcomeText | None = None
    announcement: Announcement | None = None
    terms: Terms | None = None
    max_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, le=MOST)
    denied_paths: CommaSeparated = ()
    extra_paths: CommaSeparated = ()
    stored_objects: Literal["off", "per-account", "shared"] = "off"
    connect_timeout_s: float = Field(default=5, gt=0)
    first_byte_timeout_s: float | None = Field(default=None, gt=0)
    read_timeout_s: float = Field(default=300, gt=0)
    call_timeout_s: float = Field(default=3600, gt=0)
    open_requests_per_key: int = Field(default=1000, ge=0, le=MOST)
    open_requests_per_account: int = Field(default=2000, ge=0, le=MOST)
    receipt_days: int = Field(default=7, ge=1, le=7)
    audit_days: int = Field(default=365, ge=1, le=3650)
    keep_alive_s: int = Field(default=75, ge=1, le=3600)
    shutdown_grace_s: float = Field(default=12, ge=0, le=3600)
    log_format: LogFormat = "auto"
    access_log: bool = False
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    testing: bool = False
    clock_offset_s: float = 0
    plans: tuple[PlanSettings, ...] = ()
    prices: tuple[PriceSettings, ...] = ()
    upstreams: tuple[UpstreamSettings, ...] = ()
    unknown_price: Literal["refuse", "free"] = "refuse"
    measure_streams: bool = True

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources by precedence: arguments, the environment, `daypass.toml`."""
        return init_settings, env_settings, SettingsFile(settings_cls, config_path())

    @field_validator("*", mode="before")
    @classmethod
    def _trim(cls, value: Any) -> Any:
        """Strip whitespace: a pasted key with a trailing newline would be rejected upstream."""
        if not isinstance(value, str):
            return value
        if any("\ud800" <= x <= "\udfff" for x in value):  # Bytes that are not UTF-8 (PEP 383).
            raise ValueError("must be UTF-8")
        return value.strip()

    @field_validator("upstream_api_key")
    @classmethod
    def _check_upstream_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_upstream_key(value.get_secret_value())
        return value

    @field_validator("upstream_base_url", "public_url", "aws_base_url", "aws_endpoint_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return value and check_http_url(value)

    @field_validator("upstream_base_url")
    @classmethod
    def _check_upstream_url(cls, value: str) -> str:
        return check_upstream_url(value)

    @field_validator("public_url")
    @classmethod
    def _check_site_url(cls, value: str | None) -> str | None:
        return value and check_site_url(value)

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        return value and SecretStr(check_database_url(value.get_secret_value()))

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        return value and SecretStr(check_redis_url(value.get_secret_value()))

    @field_validator("metrics_token")
    @classmethod
    def _check_metrics_token(cls, value: SecretStr | None) -> SecretStr | None:
        return value and SecretStr(check_ascii(value.get_secret_value()))

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_origin, value))

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_host, value))

    @field_validator("allowed_email_domains")
    @classmethod
    def _check_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_email_domain, value))

    @field_validator("denied_paths", "extra_paths")
    @classmethod
    def _check_paths(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_path, value))

    @field_validator("plans")
    @classmethod
    def _check_plans(cls, value: tuple[PlanSettings, ...]) -> tuple[PlanSettings, ...]:
        ids = [plan.id for plan in value]
        if len(set(ids)) != len(ids):
            raise ValueError("two plans have the same id")
        return value

    @validate_model(mode="after")
    def _check_clock(self) -> Self:
        if self.clock_offset_s and not self.testing:
            raise ValueError("DAYPASS_CLOCK_OFFSET_S is for tests: it needs DAYPASS_TESTING=1")
        return self

    @validate_model(mode="after")
    def _check_upstream(self) -> Self:
        private = self.upstream_private_addresses == "allow"
        addresses = {"DAYPASS_UPSTREAM_BASE_URL": self.upstream_base_url}
        addresses |= {f"the upstream {x.name}": x.base_url for x in self.upstreams}
        for what, base_url in addresses.items():
            try:
                check_upstream_address(base_url, private=private)
            except ValueError as error:
                raise ValueError(f"{what}: {error}") from None
        names = [x.name for x in self.configured_upstreams]
        if len(set(names)) != len(names):
            raise ValueError(
                f"two upstreams have the same name. That of DAYPASS_UPSTREAM_BASE_URL is "
                f"{DEFAULT_NAME!r}"
            )
        return self

    @validate_model(mode="after")
    def _check_enforcer(self) -> Self:
        if self.enforcer == "embedded":
            return self
        if self.aws_rest_api_id is None:
            raise ValueError(
                "DAYPASS_ENFORCER=aws needs DAYPASS_AWS_REST_API_ID: 'daypass aws deploy' makes "
                "the API and prints its id"
            )
        for name in CEILINGS:
            if getattr(self, name) is not None:
                variable = ENV_PREFIX + name.upper()
                raise ValueError(
                    f"{variable} needs DAYPASS_ENFORCER=embedded: AWS has no such limit"
                )
        return self

    @property
    def retention(self) -> Retention:
        """Return the retention periods of records that are no longer needed."""
        return Retention(receipt_days=self.receipt_days, audit_days=self.audit_days)

    @property
    def set_elsewhere(self) -> dict[str, Any]:
        """Return the settings of `SiteSettings` that the environment or `daypass.toml` sets."""
        names = SiteSettings.model_fields.keys() & self.model_fields_set
        return {name: getattr(self, name) for name in names}

    def site_settings(self, stored: Mapping[str, Any]) -> SiteSettings:
        """Return the settings in force, given the values that are set on the site.

        Names that this version does not know are ignored. API Gateway has no ceilings and one key
        per account: it counts each key separately, so a second would double the quota.
        """
        values = {x: stored[x] for x in SiteSettings.model_fields if x in stored}
        values |= self.set_elsewhere
        if self.enforcer == "aws":
            values = {x: values[x] for x in values if x not in EMBEDDED_ONLY}
            values["max_keys_per_account"] = 1
        return SiteSettings(**values)

    @property
    def uses_demo_model(self) -> bool:
        """Return whether to use the demo model: on request, or if no upstream is configured.

        An upstream made on the site replaces it too: ask `CurrentUpstreams.is_demo`.
        """
        return not self.configured_upstreams

    @property
    def configured_upstreams(self) -> tuple[UpstreamSettings, ...]:
        """Return the upstreams of the environment and `daypass.toml`, the default one first."""
        if self.demo:
            return ()
        named = self.upstream_api_key is not None or "upstream_base_url" in self.model_fields_set
        if not named:
            return self.upstreams
        default = UpstreamSettings(
            name=DEFAULT_NAME, base_url=self.upstream_base_url, api_key=self.upstream_api_key
        )
        return (default, *self.upstreams)

    @property
    def configured_plans(self) -> tuple[UsagePlan, ...]:
        """The plans of `daypass.toml`. If there are none, the database has the built-in ones."""
        return tuple(plan.to_plan(plan.id) for plan in self.plans)

    @property
    def usage_plans(self) -> tuple[UsagePlan, ...]:
        """The plans that a new site begins with, and those that `daypass aws` deploys."""
        return self.configured_plans or DEFAULT_PLANS

    @property
    def database_address(self) -> str:
        """Return the database URL: PostgreSQL, or the SQLite file in the data directory."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{quote(str(self.ledger_path))}"

    @property
    def metrics_dir(self) -> Path:
        """Return the directory in which the workers share their metrics."""
        return self.data_dir / "metrics"

    @property
    def ledger_path(self) -> Path:
        """Return the embedded ledger's file, which by default contains the records too."""
        return self.data_dir / "daypass.db"


def load_settings() -> Settings:
    """Read the settings from the environment and `daypass.toml`.

    Raises SettingsError with one line for the first setting that is unknown or invalid.
    """
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    for name in sorted(os.environ):
        if name.startswith(ENV_PREFIX) and name not in known:
            raise SettingsError(f"{name}: there is no such setting")
    if os.environ.get(SECRET_VARIABLE, "x").strip() == "":
        raise SettingsError(f"{SECRET_VARIABLE}: is empty. Unset it, or set it to a secret")
    check_config_path()
    fallback = os.environ.get("OPENAI_API_KEY", "").strip()
    try:
        settings = Settings()
        if settings.upstream_api_key is None and fallback and not settings.upstreams:
            settings = Settings(upstream_api_key=SecretStr(fallback))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = "there is no such setting"
        raise SettingsError(f"{setting_location(first['loc'])}{message}") from None
    return settings
