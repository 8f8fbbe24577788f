"""`daypass init`."""

import json
import re
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daypass.cli.commands import app
from daypass.cli.init import TEMPLATE
from daypass.config.settings import load_settings
from tests.conftest import daypass

LINES = TEMPLATE.read_text().splitlines()
SETTINGS = [line.removeprefix("#") for line in LINES if re.match(r"#[^ ]", line)]
FIRST_TABLE = next(i for i, line in enumerate(SETTINGS) if line.startswith("["))


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def test_the_file_is_private_changes_nothing_and_is_never_overwritten(directory: Path) -> None:
    before = load_settings()
    assert CliRunner().invoke(app, ["init"]).exit_code == 0
    path = directory / "daypass.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_settings() == before
    path.write_text("# my own\n")
    # In another process, for the exit code and the line that people see.
    again = daypass("init")
    assert again.returncode == 2
    assert again.stderr == "daypass: daypass.toml exists already: edit it, or move it away first\n"
    assert path.read_text() == "# my own\n"


def test_a_link_is_not_followed(directory: Path) -> None:
    (directory / "daypass.toml").symlink_to(directory / "elsewhere")
    assert CliRunner().invoke(app, ["init"]).exit_code == 2
    assert not (directory / "elsewhere").exists()


def test_the_path_is_that_of_the_settings(directory: Path) -> None:
    path = str(directory / "school.toml")
    printed = CliRunner().invoke(app, ["init", "--json"], env={"DAYPASS_CONFIG": path}).stdout
    assert json.loads(printed) == {"path": path}
    assert Path(path).read_bytes() == TEMPLATE.read_bytes()


def test_all_settings_are_valid_together(directory: Path) -> None:
    (directory / "daypass.toml").write_text("\n".join(SETTINGS))
    settings = load_settings()
    assert settings.sign_up == "invite"
    (plan,) = settings.usage_plans
    assert plan.id == "workshop"


def test_each_setting_is_valid_alone(directory: Path) -> None:
    for line in SETTINGS[:FIRST_TABLE]:
        if "mail" in line:  # Mail needs two settings, which the test above sets.
            continue
        (directory / "daypass.toml").write_text(line)
        assert load_settings().model_fields_set == {line.partition(" ")[0]}
