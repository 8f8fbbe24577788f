"""What the owner of an API key may set beside its name and plan."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StringConstraints

from daypass.config.times import IsoDatetime
from daypass.domain.plans import UsagePlan
from daypass.portal.problems import ProblemError
from daypass.records.api_keys import KeyOptions

NOTE_LENGTH = 500
MAX_MODELS = 50
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
_GLOB = frozenset("*?[")

ModelName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^\S+$")
]


class KeyOptionFields(BaseModel):
    """Optional fields of an API key. In a change, a field that is left out stays as it is."""

    expires_at: IsoDatetime | None = Field(
        default=None,
        description="When the key stops working; null: when its plan says so, or never",
    )
    paused: StrictBool | None = Field(
        default=None, description="Whether to refuse calls with the key; null: leave as it is"
    )
    note: str | None = Field(default=None, max_length=NOTE_LENGTH)
    allowed_models: list[ModelName] | None = Field(
        default=None,
        max_length=MAX_MODELS,
        description="Names or globs, narrower than the plan; null or empty: all that the plan has",
    )

    def options(self, before: KeyOptions, plan: UsagePlan | None, now: int) -> KeyOptions:
        """Return the options after this change. `now` is Unix time in seconds.

        Raises 422 for a time that has passed, and for a model that the plan does not include.
        """
        changes: dict[str, Any] = {}
        if "expires_at" in self.model_fields_set:
            changes["expires_at"] = _unix_time(self.expires_at, now)
        if self.paused is not None:
            changes["paused_at"] = (before.paused_at or now) if self.paused else None
        if "note" in self.model_fields_set:
            changes["note"] = (self.note or "").strip()
        if "allowed_models" in self.model_fields_set:
            models = tuple(dict.fromkeys(self.allowed_models or ()))
            _check_models(models, plan)
            changes["allowed_models"] = models
        return replace(before, **changes)


def _unix_time(at: datetime | None, now: int) -> int | None:
    if at is None:
        return None
    if not now < at.timestamp() or at > _LATEST:
        message = "Choose a time in the future, up to the year 9999."
        raise ProblemError(422, message, field="expires_at")
    return int(at.timestamp())


def _check_models(models: Sequence[str], plan: UsagePlan | None) -> None:
    """Check names only: which models a glob matches depends on the upstream."""
    for model in models:
        if plan is not None and not _GLOB.intersection(model) and not plan.allows(model):
            message = f"The usage plan {plan.id} does not include the model {model}."
            raise ProblemError(422, message, field="allowed_models")
