"""`daypass usage`."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from daypass.cli.commands import app
from daypass.domain import key_format
from daypass.domain.times import DAY_S, iso_utc
from daypass.records import accounts, api_keys, usage
from daypass.records.database import Database
from daypass.records.schema import upgrade
from daypass.records.usage import UsageRow, Use
from tests.conftest import daypass

TODAY = int(time.time()) // DAY_S * DAY_S
LAST_WEEK = TODAY - 7 * DAY_S
MODEL = "gpt-4o\x1b[2J"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("usage")
    asyncio.run(_write_usage(f"sqlite:///{directory}/daypass.db"))
    return directory


async def _write_usage(url: str) -> None:
    await upgrade(url)
    database = Database(url)
    async with database.write() as session:
        account = await accounts.create(session, "a@example.org", accounts.NO_PASSWORD, 1)
        key = await api_keys.create(
            session, account.id, key_format.mint(), name="laptop", usage_plan_id="p", max_keys=1,
            now=1,
        )  # fmt: skip
        await session.flush()
        of_today = Use(requests=2, refused=1, input_tokens=30, output_tokens=4, cost=1_500_000)
        await usage.add(
            session,
            {
                UsageRow(TODAY, key.id, MODEL, "api"): of_today,
                UsageRow(LAST_WEEK, key.id, "o3", "api"): Use(requests=1, cost=7),
            },
        )
    await database.close()


def run(data_dir: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["usage", *options], env={"DAYPASS_DATA_DIR": str(data_dir)})


def test_usage_is_shown_by_day_and_model(data_dir: Path) -> None:
    assert json.loads(run(data_dir, "--json").stdout) == [
        {
            "date": iso_utc(TODAY)[:10],
            "model": MODEL,
            "requests": 2,
            "refused": 1,
            "tokens": 34,
            "cost": 1_500_000,
        },
        {
            "date": iso_utc(LAST_WEEK)[:10],
            "model": "o3",
            "requests": 1,
            "refused": 0,
            "tokens": 0,
            "cost": 7,
        },
    ]
    (only,) = json.loads(run(data_dir, "--json", "--days", "7").stdout)
    assert only["model"] == MODEL


def test_a_table_shows_dollars_and_no_control_characters(data_dir: Path) -> None:
    head, first, second = run(data_dir).stdout.splitlines()
    assert head.split() == ["date", "model", "requests", "refused", "tokens", "cost"]
    assert first.split()[1:] == ["gpt-4o\\x1b[2J", "2", "1", "34", "$1.500000"]
    assert second.endswith("$0.000007")


def test_usage_is_shown_by_account(data_dir: Path) -> None:
    (row,) = json.loads(run(data_dir, "--by", "account", "--json").stdout)
    assert row.pop("account_id")
    assert row == {
        "email": "a@example.org",
        "requests": 3,
        "refused": 1,
        "tokens": 34,
        "cost": 1_500_007,
    }
    assert "$1.500007" in run(data_dir, "--by", "account").stdout


def test_errors_are_one_line(tmp_path: Path) -> None:
    state = {"DAYPASS_DATA_DIR": str(tmp_path / "none")}
    missing = daypass("usage", **state)
    assert missing.returncode == 2
    assert missing.stderr.startswith("daypass: there is no database at ")
    assert not (tmp_path / "none").exists()
    assert run(tmp_path, "--days", "0").exit_code == 2
