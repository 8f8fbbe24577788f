"""/api/operator/settings: the settings that operators can change on the site."""

import json
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, JsonValue

from daypass.config.file import setting_place
from daypass.config.site_settings import EMBEDDED_ONLY, SiteSettings, StoredSettings
from daypass.domain.plans import dollars
from daypass.portal.context import InPortal, Operator, Portal
from daypass.portal.problems import ProblemError
from daypass.records import audit, site_settings

NO_SUCH_LIMIT = "API Gateway has no such limit: this needs DAYPASS_ENFORCER=embedded."
MAX_VALUE_LENGTH = 240
"""Characters of each value in the audit log."""

SettingValue = bool | int | str | list[str] | dict[str, JsonValue] | None

router = APIRouter()


class SettingView(BaseModel):
    """A setting and the value in force."""

    name: str
    value: SettingValue
    default: SettingValue
    source: Literal["default", "site", "settings"] = Field(
        description="`site`: set here; `settings`: set by the environment or daypass.toml"
    )
    place: str | None = Field(
        description="Where it is set if not here, such as `DAYPASS_SIGN_UP`. Change it there."
    )
    unavailable: str | None = Field(description="Why this site cannot have this setting")


class SettingsView(BaseModel):
    """Every setting that operators can change on the site, with costs in micro-dollars."""

    settings: list[SettingView]


@router.get("/settings")
async def list_settings(_operator: Operator, portal: InPortal) -> SettingsView:
    """List the settings that can be changed on the site, with their values and sources."""
    async with portal.database.read() as session:
        return _view(portal, await site_settings.stored(session))


@router.patch("/settings")
async def change_settings(
    change: StoredSettings, operator: Operator, portal: InPortal
) -> SettingsView:
    """Change settings, all of them or none. Null restores a default.

    A change holds on every process within a second. Returns 409 for a setting that the environment
    or `daypass.toml` sets, and for one that API Gateway does not have.
    """
    asked = change.model_dump(mode="json", exclude_unset=True)
    _check_changeable(portal, asked)
    now = portal.now()
    async with portal.database.write() as session:
        await site_settings.lock(session)
        stored = await site_settings.stored(session)
        changes = {name: asked[name] for name in asked if asked[name] != stored.get(name)}
        await site_settings.change(session, changes, now)
        for name, value in changes.items():
            detail = f"{_words(name, stored.get(name))} → {_words(name, value)}"
            audit.add(session, operator, "setting changed", name, now=now, detail=detail)
        return _view(portal, await site_settings.stored(session))


def _check_changeable(portal: Portal, names: Any) -> None:
    """Raise ProblemError 409 for a setting that cannot be changed on this site."""
    elsewhere = portal.settings.set_elsewhere
    for name in names:
        if name in elsewhere:
            message = f"{name} is set in {setting_place(name)}: change it there."
            raise ProblemError(409, message, field=name)
        if (reason := _unavailable(portal, name)) is not None:
            raise ProblemError(409, f"{name}: {reason}", field=name)


def _view(portal: Portal, stored: dict[str, Any]) -> SettingsView:
    in_force = portal.settings.site_settings(stored).model_dump(mode="json")
    defaults = SiteSettings().model_dump(mode="json")
    elsewhere = portal.settings.set_elsewhere
    return SettingsView(
        settings=[
            SettingView(
                name=name,
                value=value,
                default=defaults[name],
                source=_source(name, elsewhere, stored),
                place=setting_place(name) if name in elsewhere else None,
                unavailable=_unavailable(portal, name),
            )
            for name, value in in_force.items()
        ]
    )


def _source(name: str, elsewhere: Any, stored: Any) -> Literal["default", "site", "settings"]:
    if name in elsewhere:
        return "settings"
    return "site" if name in stored else "default"


def _unavailable(portal: Portal, name: str) -> str | None:
    is_embedded = portal.settings.enforcer == "embedded"
    return None if is_embedded or name not in EMBEDDED_ONLY else NO_SUCH_LIMIT


def _words(name: str, value: JsonValue) -> str:
    """Return a value for the audit log."""
    if value is None:
        return "default"
    if "_cost_per_" in name and isinstance(value, int):
        return dollars(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"
