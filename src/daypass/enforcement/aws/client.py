"""API Gateway's control plane through boto3, off the event loop, with helpful errors."""

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import structlog
from botocore.config import Config

from daypass.config.settings import Settings
from daypass.domain.plans import UsagePlan
from daypass.enforcement.aws.errors import AWS_ERRORS, AwsError, translate
from daypass.enforcement.aws.plans import covers, quota_and_throttle

PAGE = 500
"""The largest page that API Gateway returns; the default is 25."""
ACCOUNT_TAG = "daypass:account"
API_TAG = "daypass:api"

# The control plane takes 10 calls a second, CreateApiKey and DeleteApiKey 5 (API Gateway quotas):
# adaptive mode slows down by itself after the first refusal.
CONFIG = Config(
    retries={"mode": "adaptive", "total_max_attempts": 6},
    connect_timeout=3,
    read_timeout=20,
    max_pool_connections=20,
)

log = structlog.get_logger()


def make_client(service: str, settings: Settings) -> Any:
    """Return a boto3 client configured from the environment. Raises AwsError."""
    try:
        return boto3.client(
            service,
            # boto3 reads AWS_DEFAULT_REGION only. AWS's other tools read AWS_REGION first.
            region_name=os.environ.get("AWS_REGION"),
            endpoint_url=settings.aws_endpoint_url,
            config=CONFIG,
        )
    except AWS_ERRORS as error:
        raise translate(service, error) from error


class ApiGateway:
    """The usage plans and keys of one stage. Every method except `base_url` raises AwsError."""

    def __init__(self, client: Any, rest_api_id: str, stage: str) -> None:
        """`client` is a boto3 client for `apigateway`."""
        self._client = client
        self.rest_api_id = rest_api_id
        self.stage = stage

    @classmethod
    def of(cls, settings: Settings) -> "ApiGateway":
        """Return the stage in the settings. Raises AwsError."""
        client = make_client("apigateway", settings)
        return cls(client, settings.aws_rest_api_id or "", settings.aws_stage)

    @property
    def base_url(self) -> str:
        """Return the stage's URL."""
        meta = self._client.meta
        suffix = "amazonaws.com.cn" if meta.partition == "aws-cn" else "amazonaws.com"
        return f"https://{self.rest_api_id}.execute-api.{meta.region_name}.{suffix}/{self.stage}"

    async def usage_plans(self) -> list[dict[str, Any]]:
        """Return the stage's usage plans, as API Gateway describes them."""
        found = await self._pages("get_usage_plans")
        return [plan for plan in found if covers(plan, self.rest_api_id, self.stage)]

    async def create_usage_plan(self, plan: UsagePlan) -> str:
        """Create a usage plan for the stage and return its id."""
        quota, throttle = quota_and_throttle(plan)
        limits = {k: v for k, v in (("quota", quota), ("throttle", throttle)) if v}
        made = await self._call(
            "create_usage_plan",
            name=plan.id,
            description=plan.description or plan.name,
            apiStages=[{"apiId": self.rest_api_id, "stage": self.stage}],
            **limits,
        )
        return str(made["id"])

    async def update_usage_plan(self, aws_id: str, plan: UsagePlan) -> None:
        """Set the limits of a usage plan."""
        quota, throttle = quota_and_throttle(plan)
        patches = [*_replacing("quota", quota), *_replacing("throttle", throttle)]
        await self._call("update_usage_plan", usagePlanId=aws_id, patchOperations=patches)

    async def delete_usage_plan(self, aws_id: str) -> None:
        """Detach a usage plan from its stage and delete it, if it exists."""
        patch = {
            "op": "remove",
            "path": "/apiStages",
            "value": f"{self.rest_api_id}:{self.stage}",
        }
        await self._unless_missing("update_usage_plan", usagePlanId=aws_id, patchOperations=[patch])
        await self._unless_missing("delete_usage_plan", usagePlanId=aws_id)

    async def key_ids_of(self, plan_id: str) -> list[str]:
        """Return the ids of the keys in a plan."""
        found = await self._pages("get_usage_plan_keys", usagePlanId=plan_id)
        return [str(key["id"]) for key in found]

    async def create_key(self, name: str, secret: str, account_id: str) -> str:
        """Create a key without a plan and return its id."""
        made = await self._call(
            "create_api_key",
            name=name,
            description=f"Daypass: {account_id}",
            value=secret,
            enabled=True,
            tags={ACCOUNT_TAG: account_id, API_TAG: self.rest_api_id},
        )
        return str(made["id"])

    async def attach(self, key_id: str, plan_id: str) -> None:
        """Add a key to a plan, if it is not in it."""
        try:
            await self._call(
                "create_usage_plan_key", usagePlanId=plan_id, keyId=key_id, keyType="API_KEY"
            )
        except AwsError as error:
            # botocore retries a call whose reply was lost, though it may have succeeded.
            if not error.is_conflict or not await self._is_attached(key_id, plan_id):
                raise

    async def detach(self, key_id: str, plan_id: str) -> None:
        """Remove a key from a plan, if it is in it."""
        await self._unless_missing("delete_usage_plan_key", usagePlanId=plan_id, keyId=key_id)

    async def change_key(self, key_id: str, **values: str | bool) -> None:
        """Change a key's `name` or whether it is `enabled`."""
        patches = [
            {"op": "replace", "path": f"/{name}", "value": _text(value)}
            for name, value in values.items()
        ]
        await self._call("update_api_key", apiKey=key_id, patchOperations=patches)

    async def delete_key(self, key_id: str) -> None:
        """Delete a key, if it exists."""
        await self._unless_missing("delete_api_key", apiKey=key_id)

    async def keys(self) -> list[dict[str, Any]]:
        """Return the keys that Daypass created for this API, without their values."""
        found = await self._pages("get_api_keys", includeValues=False)
        return [key for key in found if key.get("tags", {}).get(API_TAG) == self.rest_api_id]

    async def set_remaining(self, key_id: str, plan_id: str, requests: int) -> None:
        """Set the requests that a key has left in the plan's current period."""
        patch = {"op": "replace", "path": "/remaining", "value": str(requests)}
        await self._call("update_usage", usagePlanId=plan_id, keyId=key_id, patchOperations=[patch])

    async def usage_of_day(self, key_id: str, plan_id: str, at: float) -> tuple[int, int] | None:
        """Return a key's used and remaining requests on the UTC day of `at` (Unix time).

        API Gateway's figures lag by minutes. Return None if it has none yet.
        """
        day = datetime.fromtimestamp(at, UTC).date().isoformat()
        reply = await self._call(
            "get_usage", usagePlanId=plan_id, keyId=key_id, startDate=day, endDate=day
        )
        days = (reply.get("items") or {}).get(key_id) or []
        return (int(days[-1][0]), int(days[-1][1])) if days else None

    async def _is_attached(self, key_id: str, plan_id: str) -> bool:
        try:
            await self._call("get_usage_plan_key", usagePlanId=plan_id, keyId=key_id)
        except AwsError as error:
            if error.is_missing:
                return False
            raise
        return True

    async def _unless_missing(self, method: str, **parameters: Any) -> None:
        try:
            await self._call(method, **parameters)
        except AwsError as error:
            if not error.is_missing:
                raise

    async def _pages(self, method: str, **parameters: Any) -> list[dict[str, Any]]:
        def read() -> Iterator[dict[str, Any]]:
            pages = self._client.get_paginator(method).paginate(
                **parameters, PaginationConfig={"PageSize": PAGE}
            )
            for page in pages:
                yield from page.get("items", [])

        items: list[dict[str, Any]] = await self._off_loop(method, lambda: list(read()))
        return items

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        bound = getattr(self._client, method)
        answer: dict[str, Any] = await self._off_loop(method, lambda: bound(**parameters))
        return answer

    async def _off_loop(self, method: str, work: Callable[[], Any]) -> Any:
        try:
            return await asyncio.to_thread(work)
        except AWS_ERRORS as error:
            operation = self._client.meta.method_to_api_mapping.get(method, method)
            raise translate(operation, error) from error


def _replacing(group: str, values: dict[str, Any]) -> list[dict[str, str]]:
    if not values:
        return [{"op": "remove", "path": f"/{group}"}]
    return [
        {"op": "replace", "path": f"/{group}/{name}", "value": _text(value)}
        for name, value in values.items()
    ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
