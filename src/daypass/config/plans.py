"""The fields of usage plans, from `[[plans]]` in `daypass.toml` or created on the site."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt
from pydantic import model_validator as validate_model

from daypass.domain.plans import Limit, UsagePlan, Window, request_limits

MOST = 1_000_000_000_000
"""The largest number in a setting. Ledgers, databases and JSON represent it exactly."""
Amount = Annotated[StrictInt, Field(ge=0, le=MOST)]


class PlanTerms(BaseModel):
    """The fields of a usage plan other than its id, which never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)
    description: str = Field(default="", max_length=500)
    requests_per_minute: Amount | None = None
    burst: Annotated[Amount, Field(ge=1)] | None = None
    requests_per_hour: Amount | None = None
    requests_per_day: Amount | None = None
    requests_per_week: Amount | None = None
    requests_per_month: Amount | None = None
    unlimited: StrictBool = False
    models: tuple[str, ...] = ()
    self_service: StrictBool = True

    @validate_model(mode="after")
    def _check_burst(self) -> Self:
        if self.burst is not None and not self.requests_per_minute:
            raise ValueError("burst needs requests_per_minute, the rate at which it refills")
        return self

    @validate_model(mode="after")
    def _check_limits(self) -> Self:
        """Require a limit or `unlimited`: a forgotten limit must not allow unlimited spending."""
        if not self.limits and not self.unlimited:
            raise ValueError("has no limit: set one, such as requests_per_day, or unlimited = true")
        if self.limits and self.unlimited:
            raise ValueError("unlimited = true contradicts the other limits")
        return self

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Return the limits on requests."""
        amounts = {window: getattr(self, f"requests_per_{window.value}") for window in Window}
        return request_limits(amounts, self.burst)


class PlanSettings(PlanTerms):
    """One `[[plans]]` table of `daypass.toml`."""

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")

    def to_plan(self) -> UsagePlan:
        """Return the usage plan described by this table."""
        return UsagePlan(
            id=self.id,
            name=self.name,
            description=self.description,
            limits=self.limits,
            models=frozenset(self.models),
            self_service=self.self_service,
        )
