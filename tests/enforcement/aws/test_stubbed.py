"""Features that moto and ministack lack, with botocore's Stubber: usage, pages, errors."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from daypass.enforcement.aws.client import CONFIG, PAGE, ApiGateway
from daypass.enforcement.aws.errors import AwsError

AT = 1_795_564_800.0  # 2026-11-25T00:00:00Z


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "apigateway", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


@pytest.fixture
def stub(client: Any) -> Any:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def api(client: Any, stub: Stubber) -> ApiGateway:
    return ApiGateway(client, "api1", "v1")


async def test_usage_of_a_day_is_read(api: ApiGateway, stub: Stubber) -> None:
    day = {"startDate": "2026-11-25", "endDate": "2026-11-25"}
    asked = {"usagePlanId": "plan1", "keyId": "key1", **day}
    stub.add_response("get_usage", {"items": {"key1": [[3, 7]]}, **day}, asked)
    stub.add_response("get_usage", {"items": {}, **day}, asked)
    assert await api.usage_of_day("key1", "plan1", AT) == (3, 7)
    assert await api.usage_of_day("key1", "plan1", AT) is None


async def test_remaining_usage_is_set(api: ApiGateway, stub: Stubber) -> None:
    patch = {"op": "replace", "path": "/remaining", "value": "4"}
    asked = {"usagePlanId": "plan1", "keyId": "key1", "patchOperations": [patch]}
    stub.add_response("update_usage", {"usagePlanId": "plan1"}, asked)
    await api.set_remaining("key1", "plan1", 4)


async def test_all_result_pages_are_read(api: ApiGateway, stub: Stubber) -> None:
    def key(number: int, of: str = "api1") -> dict[str, Any]:
        return {"id": f"k{number}", "tags": {"daypass:api": of}}

    first = {"items": [key(n) for n in range(500)], "position": "next"}
    last = {"items": [key(500), key(501, "another"), {"id": "k502"}]}
    asked = {"limit": PAGE, "includeValues": False}
    stub.add_response("get_api_keys", first, asked)
    stub.add_response("get_api_keys", last, asked | {"position": "next"})
    assert len(await api.keys()) == 501


async def test_plans_of_other_stages_are_ignored(api: ApiGateway, stub: Stubber) -> None:
    def plan(name: str, *stages: tuple[str, str]) -> dict[str, Any]:
        return {"id": name, "apiStages": [{"apiId": a, "stage": s} for a, s in stages]}

    plans = [
        plan("ours", ("api1", "v1"), ("x", "y")),
        plan("other-stage", ("api1", "v2")),
        plan("none"),
    ]
    stub.add_response("get_usage_plans", {"items": plans}, {"limit": PAGE})
    assert [x["id"] for x in await api.usage_plans()] == ["ours"]


async def test_attaching_an_attached_key_succeeds(api: ApiGateway, stub: Stubber) -> None:
    asked = {"usagePlanId": "plan1", "keyId": "key1"}
    stub.add_client_error("create_usage_plan_key", "ConflictException", http_status_code=409)
    stub.add_response("get_usage_plan_key", {"id": "key1"}, asked)
    await api.attach("key1", "plan1")
    stub.add_client_error("create_usage_plan_key", "ConflictException", http_status_code=409)
    stub.add_client_error("get_usage_plan_key", "NotFoundException", http_status_code=404)
    with pytest.raises(AwsError) as caught:
        await api.attach("key1", "plan1")
    assert caught.value.status == 409


async def test_deleting_a_missing_key_succeeds(api: ApiGateway, stub: Stubber) -> None:
    stub.add_client_error("delete_api_key", "NotFoundException", http_status_code=404)
    await api.delete_key("key1")
    stub.add_client_error("delete_api_key", "TooManyRequestsException", http_status_code=429)
    with pytest.raises(AwsError, match="try again in a moment"):
        await api.delete_key("key1")


async def test_the_stage_setting_determines_the_base_url(api: ApiGateway, stub: Stubber) -> None:
    assert api.base_url == "https://api1.execute-api.eu-central-1.amazonaws.com/v1"


@pytest.mark.parametrize(
    ("code", "status", "told", "reason"),
    [
        ("TooManyRequestsException", 503, "in a moment", "calls per second"),
        ("ExpiredTokenException", 503, "operator", "wrong or expired"),
        ("UnrecognizedClientException", 503, "operator", "aws sso login"),
        ("AccessDeniedException", 503, "operator", "CreateApiKey"),
        ("AccessDeniedException", 503, "operator", "daypass aws policy"),
        ("LimitExceededException", 503, "no room", "10,000 API keys"),
        ("ConflictException", 409, "Try again", "ConflictException"),
        ("BadRequestException", 422, "does not accept", "BadRequestException"),
        ("Whatever", 503, "operator", "CreateApiKey: Whatever"),
    ],
)
async def test_each_aws_error_has_a_clear_message(
    api: ApiGateway, stub: Stubber, code: str, status: int, told: str, reason: str
) -> None:
    stub.add_client_error("create_api_key", code, "said\nAWS")
    with pytest.raises(AwsError) as caught:
        await api.create_key("laptop", "dp_" + "x" * 38, "acc_1")
    error = caught.value
    assert error.status == status
    assert told in str(error)
    assert reason in error.reason
    assert "\n" not in error.reason
    assert "dp_" not in error.reason + str(error)


def test_calls_are_retried_by_botocore() -> None:
    assert CONFIG.retries == {"mode": "adaptive", "total_max_attempts": 6}
