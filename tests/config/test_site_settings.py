"""The settings that operators can change on the site: which value wins, and where it is set."""

import re
from pathlib import Path
from typing import Any

import pytest

from daypass.config.file import setting_place
from daypass.config.settings import Settings, load_settings
from daypass.config.site_settings import EMBEDDED_ONLY, ON_SITE_ONLY, SiteSettings, StoredSettings

SOURCE = Path(__file__).parents[2] / "src" / "daypass"


@pytest.fixture(autouse=True)
def newcomer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_environment_wins_over_the_file_over_the_site_over_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stored = {"sign_up": "closed", "max_keys_per_account": 7, "site_requests_per_day": 9}
    (tmp_path / "daypass.toml").write_text('sign_up = "invite"\nmax_keys_per_account = 5\n')
    monkeypatch.setenv("DAYPASS_MAX_KEYS_PER_ACCOUNT", "2")
    site = load_settings().site_settings(stored)
    assert (site.sign_up, site.max_keys_per_account) == ("invite", 2)
    assert (site.site_requests_per_day, site.site_tokens_per_day) == (9, None)
    assert Settings().site_settings({}).allowed_email_domains == ()


def test_setting_place_names_the_source_of_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "daypass.toml").write_text('# A school.\nsign_up = "invite"\n')
    monkeypatch.setenv("daypass_max_keys_per_account", "2")
    monkeypatch.setenv("DAYPASS_SIGN_UP", "")
    assert load_settings().set_elsewhere == {"sign_up": "invite", "max_keys_per_account": 2}
    assert setting_place("sign_up") == "daypass.toml line 2"
    assert setting_place("max_keys_per_account") == "DAYPASS_MAX_KEYS_PER_ACCOUNT"
    monkeypatch.setenv("DAYPASS_SIGN_UP", "closed")
    assert setting_place("sign_up") == "DAYPASS_SIGN_UP"


def test_a_value_of_another_version_of_daypass_is_ignored_or_refused() -> None:
    assert Settings().site_settings({"retired_setting": 1}) == SiteSettings()
    with pytest.raises(ValueError, match="sign_up"):
        Settings().site_settings({"sign_up": "by post"})


def test_api_gateway_has_no_ceilings_and_one_key_per_account() -> None:
    settings = Settings(enforcer="aws", aws_rest_api_id="a1")
    stored: dict[str, Any] = dict.fromkeys(EMBEDDED_ONLY, 9) | {"sign_up": "closed"}
    expected = SiteSettings(sign_up="closed", max_keys_per_account=1)
    assert settings.site_settings(stored) == expected


def test_every_setting_can_also_be_set_by_the_environment() -> None:
    assert SiteSettings.model_fields.keys() == StoredSettings.model_fields.keys()
    assert not ON_SITE_ONLY & Settings.model_fields.keys()
    for name in SiteSettings.model_fields.keys() - ON_SITE_ONLY:
        default = SiteSettings.model_fields[name].default
        assert Settings.model_fields[name].default == default, name


def test_only_the_settings_in_force_are_read() -> None:
    """`Settings` knows only what the environment and the file set."""
    names = "|".join(SiteSettings.model_fields)
    read = re.compile(rf"\bsettings\.({names})\b")
    found = {path.name for path in SOURCE.rglob("*.py") if read.search(path.read_text())}
    assert not found
