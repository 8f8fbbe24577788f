"""The CloudFormation template and the IAM policies."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.api import lint_all

from daypass.domain.plans import DEFAULT_PLANS, Limit, Measure, UsagePlan, Window
from daypass.enforcement.aws import client as aws_client
from daypass.enforcement.aws import gateway_guard
from daypass.enforcement.aws.policy import deploying_policy, serving_policy
from daypass.enforcement.aws.template import KEY_ID_HEADER, SECRET_HEADER, build_template

BURSTING = UsagePlan(
    "work-shop.2",
    "Workshop",
    (Limit(Measure.REQUESTS, 100, Window.DAY), Limit(Measure.REQUESTS, 10, Window.MINUTE, 3)),
)
PLANS = (*DEFAULT_PLANS, BURSTING)


@pytest.fixture
def resources() -> dict[str, Any]:
    found: dict[str, Any] = build_template(PLANS, "v1")["Resources"]
    return found


def of_type(resources: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [x["Properties"] for x in resources.values() if x["Type"].endswith(f"::{name}")]


def test_the_template_passes_cfn_lint() -> None:
    for plans in (PLANS, ()):
        found = lint_all(json.dumps(build_template(plans, "v1", "fingerprint")))
        assert [x for x in found if not x.rule.id.startswith("I")] == []


def test_every_method_except_the_preflight_requires_a_key(resources: dict[str, Any]) -> None:
    methods = {x["HttpMethod"]: x["ApiKeyRequired"] for x in of_type(resources, "Method")}
    assert methods == {"ANY": True, "OPTIONS": False}


def test_gateway_responses_have_openai_format_and_cors_headers(
    resources: dict[str, Any],
) -> None:
    statuses = {}
    for response in of_type(resources, "GatewayResponse"):
        body = response["ResponseTemplates"]["application/json"]
        filled = re.sub(r"\$context\.error\.messageString", '"said"', body)
        error = json.loads(filled)["error"]
        assert set(error) >= {"message", "type", "param", "code"}
        headers = response["ResponseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
        statuses[response["ResponseType"]] = (response.get("StatusCode"), error["code"])
    assert statuses["INVALID_API_KEY"] == ("401", "invalid_api_key")
    assert statuses["QUOTA_EXCEEDED"] == ("429", "insufficient_quota")
    assert statuses["THROTTLED"] == ("429", "rate_limit_exceeded")


def test_the_integration_sets_the_headers_that_the_gateway_reads() -> None:
    assert gateway_guard.SECRET_HEADER.decode() == SECRET_HEADER
    assert gateway_guard.KEY_ID_HEADER.decode() == KEY_ID_HEADER


def test_a_changed_api_creates_a_new_deployment() -> None:
    def deployment(template: dict[str, Any]) -> str:
        (name,) = [x for x in template["Resources"] if x.startswith("Deployment")]
        return str(name)

    one = build_template(PLANS, "v1", "secret 1")
    assert deployment(one) == deployment(build_template((), "v1", "secret 1"))
    assert deployment(one) != deployment(build_template(PLANS, "v1", "secret 2"))


def test_the_template_contains_the_limits_of_the_plans(resources: dict[str, Any]) -> None:
    plans = {x["UsagePlanName"]: x for x in of_type(resources, "UsagePlan")}
    assert plans["10RequestPerDay"]["Quota"] == {"Limit": 10, "Period": "DAY"}
    assert plans["work-shop.2"]["Throttle"] == {"RateLimit": 10 / 60, "BurstLimit": 3}


def test_the_policy_allows_what_the_client_calls() -> None:
    source = Path(aws_client.__file__).read_text()
    called = set(re.findall(r'_(?:call|pages|unless_missing)\(\s*"(\w+)"', source))
    assert {"create_api_key", "update_usage", "get_usage_plans"} <= called
    model = boto3.client(
        "apigateway", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    ).meta
    serving = serving_policy("eu-central-1")["Statement"]
    deploying = deploying_policy("eu-central-1", "daypass")["Statement"]
    for method in sorted(called):
        operation = model.service_model.operation_model(model.method_to_api_mapping[method])
        path = re.sub(r"\{\w+\}", "some-id", operation.http["requestUri"])
        action = f"apigateway:{operation.http['method']}"
        is_deploying = "usage_plan" in method and not method.endswith(("plans", "key", "keys"))
        statements = deploying if is_deploying else serving
        assert any(
            action in statement["Action"]
            and any(
                fnmatchcase(f"arn:aws:apigateway:eu-central-1::{path}", resource)
                for resource in statement["Resource"]
            )
            for statement in statements
        ), (method, path)
