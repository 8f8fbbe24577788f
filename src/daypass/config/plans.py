"""The settings of usage plans: `[[plans]]` in `daypass.toml`, and plans made on the site."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt
from pydantic import model_validator as validate_model

from daypass.domain.plans import Limit, Measure, UsagePlan, Window, limits_of_amounts

MOST = 1_000_000_000_000
"""The largest number in a setting. Ledgers, databases and JSON represent it exactly."""
Amount = Annotated[StrictInt, Field(ge=0, le=MOST)]
AtLeastOne = Annotated[Amount, Field(ge=1)]
MAX_CONCURRENT = 10_000
MAX_KEY_DAYS = 3_650


def _read_dollars(value: object) -> int:
    """Convert dollars to micro-dollars. Raises ValueError unless that is exact."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("write an amount in dollars, such as 0.25")
    try:
        micro = Decimal(str(value)) * 1_000_000
        whole = int(micro)
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError("write an amount in dollars, such as 0.25") from None
    if whole != micro:
        raise ValueError("write at most six decimals")
    return whole


Dollars = Annotated[int, Field(ge=0, le=MOST), BeforeValidator(_read_dollars)]
"""Dollars with at most six decimals in a setting, micro-dollars inside."""


class PlanTerms(BaseModel):
    """Everything about a usage plan but its id, which never changes. Costs are micro-dollars."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)
    description: str = Field(default="", max_length=500)
    requests_per_minute: Amount | None = None
    burst: AtLeastOne | None = None
    requests_per_hour: Amount | None = None
    requests_per_day: Amount | None = None
    requests_per_week: Amount | None = None
    requests_per_month: Amount | None = None
    requests_per_total: Amount | None = None
    tokens_per_minute: Amount | None = None
    tokens_per_hour: Amount | None = None
    tokens_per_day: Amount | None = None
    tokens_per_week: Amount | None = None
    tokens_per_month: Amount | None = None
    tokens_per_total: Amount | None = None
    cost_per_minute: Amount | None = None
    cost_per_hour: Amount | None = None
    cost_per_day: Amount | None = None
    cost_per_week: Amount | None = None
    cost_per_month: Amount | None = None
    cost_per_total: Amount | None = None
    max_output_tokens: AtLeastOne | None = None
    max_concurrent_requests: Annotated[AtLeastOne, Field(le=MAX_CONCURRENT)] | None = None
    max_key_days: Annotated[AtLeastOne, Field(le=MAX_KEY_DAYS)] | None = None
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
        """The limits in every measure and window."""
        amounts = {
            (measure, window): getattr(self, f"{measure.value}_per_{window.value}")
            for measure in Measure
            for window in Window
        }
        return limits_of_amounts(amounts, self.burst)

    def to_plan(self, plan_id: str) -> UsagePlan:
        """Return the usage plan with these terms."""
        return UsagePlan(
            id=plan_id,
            name=self.name,
            description=self.description,
            limits=self.limits,
            models=frozenset(self.models),
            self_service=self.self_service,
            max_output_tokens=self.max_output_tokens,
            max_concurrent_requests=self.max_concurrent_requests,
            max_key_days=self.max_key_days,
        )


PlanId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class PlanSettings(PlanTerms):
    """One `[[plans]]` table of `daypass.toml`. Costs are written in dollars."""

    id: PlanId
    cost_per_minute: Dollars | None = None
    cost_per_hour: Dollars | None = None
    cost_per_day: Dollars | None = None
    cost_per_week: Dollars | None = None
    cost_per_month: Dollars | None = None
    cost_per_total: Dollars | None = None
