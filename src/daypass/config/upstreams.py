"""The settings of upstreams: `[[upstreams]]` in `daypass.toml`, and upstreams made on the site."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictBool, StrictInt, field_validator
from pydantic import model_validator as validate_model

from daypass.config.addresses import check_http_url
from daypass.config.upstream import check_upstream_key, check_upstream_url
from daypass.domain.network import may_be_upstream

Auth = Literal["bearer", "x-api-key", "api-key"]
"""The header that carries the key: `Authorization: Bearer`, `x-api-key` or `api-key`."""

DEFAULT_NAME = "default"
"""The name of the upstream of `DAYPASS_UPSTREAM_BASE_URL`."""
MAX_MODELS = 200
MAX_ALIASES = 200
MAX_WEIGHT = 1_000
MAX_PRIORITY = 1_000

UpstreamName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
Model = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class UpstreamTerms(BaseModel):
    """Everything about an upstream but its key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: UpstreamName
    base_url: str = Field(min_length=1, max_length=2_000)
    auth: Auth = "bearer"
    models: Annotated[tuple[Model, ...], Field(max_length=MAX_MODELS)] = ()
    """Globs of the models that it serves. Empty: every model that no other upstream names."""
    aliases: Annotated[dict[Model, Model], Field(max_length=MAX_ALIASES)] = Field(
        default_factory=dict
    )
    """Names for clients, each with the upstream's own model."""
    weight: Annotated[StrictInt, Field(ge=1, le=MAX_WEIGHT)] = 1
    priority: Annotated[StrictInt, Field(ge=0, le=MAX_PRIORITY)] = 0
    """Upstreams with a lower number come first."""
    measure_streams: StrictBool | None = None
    """None: as `DAYPASS_MEASURE_STREAMS` says."""

    @validate_model(mode="before")
    @classmethod
    def _trim(cls, values: Any) -> Any:
        """Strip whitespace around pasted text."""
        if not isinstance(values, Mapping):
            return values
        return {name: x.strip() if isinstance(x, str) else x for name, x in values.items()}

    @field_validator("base_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        return check_upstream_url(check_http_url(value))

    @property
    def origin(self) -> str:
        """Return scheme, host and port of the base URL."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}".lower()


class UpstreamSettings(UpstreamTerms):
    """One `[[upstreams]]` table of `daypass.toml`."""

    api_key: SecretStr | None = None

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_upstream_key(value.get_secret_value())
        return value

    @property
    def terms(self) -> UpstreamTerms:
        """Return the table without its key."""
        return UpstreamTerms.model_validate(self.model_dump(exclude={"api_key"}))


def check_upstream_address(base_url: str, *, private: bool) -> None:
    """Raise ValueError for an address that an upstream may not have.

    `private` allows private networks (`DAYPASS_UPSTREAM_PRIVATE_ADDRESSES`).
    """
    if not may_be_upstream(urlsplit(base_url).hostname or "", private=private):
        also = "" if private else ", and DAYPASS_UPSTREAM_PRIVATE_ADDRESSES=refuse private ones"
        raise ValueError(f"link-local addresses and metadata services are refused{also}")
