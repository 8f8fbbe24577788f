"""`daypass aws …` as an operator uses it, on ministack."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server, daypass, start_behind_aws
from tests.support.aws_server import client_of
from tests.support.ministack import Ministack

WORKSHOP = """
[[plans]]
id = "workshop"
name = "Workshop"    # a comment that stays
requests_per_day = {limit}
"""


@pytest.fixture(scope="module")
def server(ministack: Ministack, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server whose plans stay as they are."""
    server = start_behind_aws(tmp_path_factory.mktemp("commands"), ministack)
    yield server
    server.stop()


@pytest.fixture
def own_server(ministack: Ministack, tmp_path: Path) -> Any:
    server = start_behind_aws(tmp_path, ministack)
    yield server
    server.stop()


def run(server: Server, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    stack = f"daypass-{server.url.rpartition(':')[2]}"
    return daypass("aws", *arguments, "--stack", stack, **(server.settings | settings))


def aws(server: Server, *arguments: str, **settings: str) -> str:
    ended = run(server, *arguments, **settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def refusal(server: Server, *arguments: str, **settings: str) -> str:
    ended = run(server, *arguments, **settings)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    return ended.stderr


def plans_at_aws(server: Server) -> dict[str, list[tuple[int, str]]]:
    status = json.loads(aws(server, "status", "--json"))
    return {
        x["id"]: [(limit["amount"], limit["window"]) for limit in x["limits"]]
        for x in status["usage_plans"]
    }


def test_deploying_again_changes_nothing_and_status_reports_it(server: Server) -> None:
    server.sign_up().create_key()
    again = aws(server, "deploy", "--origin", server.url)
    assert f"DAYPASS_AWS_REST_API_ID={server.settings['DAYPASS_AWS_REST_API_ID']}" in again
    status = json.loads(aws(server, "status", "--json"))
    assert status["rest_api_id"] == server.settings["DAYPASS_AWS_REST_API_ID"]
    keys = {x["id"]: x["keys"] for x in status["usage_plans"]}
    assert list(keys) == ["10RequestPerDay", "20RequestPerDay", "30RequestPerDay"]
    assert keys["10RequestPerDay"] >= 1
    assert "10 requests per day" in aws(server, "status")


def test_sync_copies_plans_both_ways_and_destroy_removes_everything(
    own_server: Server, tmp_path: Path
) -> None:
    server = own_server
    config = tmp_path / "daypass.toml"
    config.write_text(WORKSHOP.format(limit=50))
    mine = {"DAYPASS_CONFIG": str(config)}
    shown = json.loads(aws(server, "sync", "--json", **mine))["usage_plans"]
    assert {(x["usage_plan_id"], x["what"]) for x in shown} >= {
        ("workshop", "only here"),
        ("10RequestPerDay", "only at API Gateway"),
    }
    aws(server, "sync", "--yes", **mine)
    assert plans_at_aws(server) == {"workshop": [(50, "day")]}
    assert "are the same" in aws(server, "sync", **mine)

    # Changed by hand at AWS: copied to the file, or corrected at AWS.
    client = client_of(server.settings["DAYPASS_AWS_ENDPOINT_URL"])
    (plan,) = [x for x in client.get_usage_plans(limit=500)["items"] if x["name"] == "workshop"]
    change = [{"op": "replace", "path": "/quota/limit", "value": "70"}]
    client.update_usage_plan(usagePlanId=plan["id"], patchOperations=change)
    aws(server, "sync", "--to", "toml", "--yes", **mine)
    written = config.read_text()
    assert "requests_per_day = 70" in written
    assert "# a comment that stays" in written
    config.write_text(WORKSHOP.format(limit=60))
    aws(server, "sync", "--yes", **mine)
    assert plans_at_aws(server) == {"workshop": [(60, "day")]}

    assert "Gone" in aws(server, "destroy", "--yes")
    assert json.loads(aws(server, "status", "--json"))["stack"] is None
    assert "there is no stack" in refusal(server, "destroy", "--yes")


def test_a_plan_with_keys_is_not_removed(server: Server, tmp_path: Path) -> None:
    server.sign_up().create_key()
    config = tmp_path / "daypass.toml"
    config.write_text(WORKSHOP.format(limit=50))
    mine = {"DAYPASS_CONFIG": str(config)}
    for command in (("deploy", "--origin", server.url), ("sync", "--yes")):
        refused = refusal(server, *command, **mine)
        assert "usage plan 10RequestPerDay" in refused
        assert "keys: 'daypass aws sync --to toml'" in refused
    assert "10RequestPerDay" in plans_at_aws(server)


def test_a_plan_that_api_gateway_cannot_enforce_is_not_deployed(
    server: Server, tmp_path: Path
) -> None:
    config = tmp_path / "daypass.toml"
    options = "tokens_per_day = 900\ncost_per_month = 1\nmax_concurrent_requests = 2\n"
    config.write_text(WORKSHOP.format(limit=50) + options)
    before = plans_at_aws(server)
    names = "tokens_per_day, cost_per_month, max_concurrent_requests"
    for command in (("deploy", "--origin", server.url), ("sync", "--yes")):
        refused = refusal(server, *command, DAYPASS_CONFIG=str(config))
        assert f"usage plan workshop: API Gateway cannot enforce {names}" in refused
    assert plans_at_aws(server) == before


def test_verify_reports_all_findings(server: Server) -> None:
    server.sign_up()
    ended = daypass("aws", "verify", **server.settings)
    said = ended.stdout
    assert "ok   a call without a key is refused: 401 invalid_api_key" in said
    assert "ok   a new key works" in said
    assert "5 passed, then 429" in said
    # Unlike API Gateway, ministack returns a response in one piece.
    assert "FAIL a stream arrives in pieces: 200, 1 pieces" in said
    assert "removed" in said
    assert ended.returncode == 1
    assert set(plans_at_aws(server)) == {f"{n}RequestPerDay" for n in (10, 20, 30)}
    accounts = daypass("accounts", "list", "--json", **server.settings).stdout
    assert "verify" not in accounts


def test_the_policy_is_printed() -> None:
    serving = json.loads(daypass("aws", "policy", AWS_REGION="eu-west-1").stdout)
    assert "arn:aws:apigateway:eu-west-1::/apikeys/*" in str(serving)
    deploying = json.loads(daypass("aws", "policy", "--for", "deploy").stdout)
    assert "cloudformation:CreateStack" in str(deploying)


def test_the_template_is_printed() -> None:
    template = json.loads(daypass("aws", "deploy", "--print-template").stdout)
    assert "AWS::ApiGateway::UsagePlan" in str(template)


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (("aws", "deploy"), {}, "where does AWS reach this server?"),
        (("aws", "deploy", "--origin", "http://a.example"), {}, "it must be https"),
        (("aws", "deploy", "--origin", "a.example"), {}, "is not an address"),
        (("aws", "verify"), {}, "set DAYPASS_ENFORCER=aws"),
        (("aws", "status"), {}, "No AWS Region is set"),
        (("aws", "status"), {"AWS_REGION": "eu-west-1"}, "There are no AWS credentials"),
        (("serve",), {"DAYPASS_ENFORCER": "aws"}, "DAYPASS_AWS_REST_API_ID"),
        (
            ("serve",),
            {"DAYPASS_ENFORCER": "aws", "DAYPASS_AWS_REST_API_ID": "a1"},
            "DAYPASS_AWS_GATEWAY_SECRET",
        ),
        (
            ("serve",),
            {
                "DAYPASS_ENFORCER": "aws",
                "DAYPASS_AWS_REST_API_ID": "a1",
                "DAYPASS_SITE_REQUESTS_PER_DAY": "5",
            },
            "DAYPASS_SITE_REQUESTS_PER_DAY needs DAYPASS_ENFORCER=embedded",
        ),
        (
            ("aws", "deploy", "--print-template"),
            {"DAYPASS_PLANS": """[{"id": "t", "name": "T", "tokens_per_day": 9}]"""},
            "usage plan t: API Gateway cannot enforce tokens_per_day",
        ),
    ],
)
def test_a_missing_prerequisite_is_reported_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], said: str
) -> None:
    outside = {
        "DAYPASS_DATA_DIR": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    ended = daypass(*arguments, **(outside | settings))
    assert ended.returncode in (1, 2)
    assert ended.stderr.startswith("daypass: ")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.skipif(
    "TEST_DAYPASS_AWS_REST_API_ID" not in os.environ,
    reason="needs a real stage: see docs/aws.md",
)
def test_verify_passes_on_a_real_stage() -> None:
    """`daypass aws verify` on a real account, with the settings and credentials of this shell."""
    settings = {"DAYPASS_ENFORCER": "aws"}
    for name, value in os.environ.items():
        if name.startswith(("AWS_", "TEST_DAYPASS_")):
            settings[name.replace("TEST_DAYPASS_", "DAYPASS_")] = value
    ended = daypass("aws", "verify", **settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
