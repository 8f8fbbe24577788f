"""The secret with which Daypass signs."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from daypass.config.secret_key import FILE, secret_keys
from daypass.config.settings import Settings, SettingsError, load_settings
from daypass.portal.signer import Signer
from tests.conftest import daypass

OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture(autouse=True)
def newcomer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_secret_file_is_created_once_and_private_to_its_owner(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (key,) = secret_keys(settings)
    assert len(key) == 64
    assert secret_keys(settings) == (key,)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    (other,) = secret_keys(Settings(data_dir=tmp_path, secret_key=SecretStr(NEW)))
    assert other == NEW


@pytest.mark.parametrize("content", ["", "x" * 31 + "\n"])
def test_a_secret_file_without_a_secret_prevents_startup(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(SettingsError, match="at least 32 characters"):
        secret_keys(Settings(data_dir=tmp_path))


def test_the_command_reports_a_bad_secret_file_in_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")
    ended = daypass("serve", "--port", "0", DAYPASS_DATA_DIR=str(tmp_path))
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "FAIL secret" in daypass("doctor", DAYPASS_DATA_DIR=str(tmp_path)).stdout


@pytest.mark.parametrize("value", ["", "  ", "short", "x" * 31, f"{NEW},", f"{NEW},short", ","])
def test_an_empty_or_short_secret_setting_prevents_startup(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DAYPASS_SECRET_KEY", value)
    with pytest.raises(SettingsError, match="DAYPASS_SECRET_KEY") as error:
        load_settings()
    assert not value.strip() or NEW not in str(error.value)


def test_an_empty_secret_in_the_settings_file_prevents_startup(tmp_path: Path) -> None:
    (tmp_path / "daypass.toml").write_text('secret_key = ""')
    with pytest.raises(SettingsError, match="secret_key"):
        load_settings()


def test_the_first_secret_signs_and_all_secrets_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYPASS_SECRET_KEY", f"{NEW}, {OLD}")
    settings = load_settings()
    assert "nnn" not in repr(settings)
    now = 1_000.0
    both = Signer(secret_keys(settings), lambda: now)
    old, new = Signer((OLD,), lambda: now), Signer((NEW,), lambda: now)
    assert both.read("x", old.sign("x", [1], 60)) == [1]
    assert new.read("x", both.sign("x", [1], 60)) == [1]
    assert old.read("x", both.sign("x", [1], 60)) is None


def test_a_token_is_valid_for_one_purpose_and_a_limited_time() -> None:
    now = [1_000.0]
    signer = Signer((NEW,), lambda: now[0])
    token = signer.sign("x", {"a": "ä"}, 60)
    assert signer.read("x", token) == {"a": "ä"}
    assert signer.read("y", token) is None
    for damaged in (token[:-1], token + "x", token.swapcase(), "", ".", "é" * 50, "a.b.c"):
        assert signer.read("x", damaged) is None
    now[0] += 60
    assert signer.read("x", token) is None
