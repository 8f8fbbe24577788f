"""The CloudFormation template: a REST API in front of the gateway, its stage and usage plans.

The API Gateway developer guide describes its parts: HTTP proxy integrations, response
streaming (`responseTransferMode`), gateway responses, usage plans.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from daypass.domain.plans import UsagePlan
from daypass.enforcement.aws.plans import quota_and_throttle

# Two headers that tell the gateway which key it serves: see `gateway_guard.py`.
SECRET_HEADER = "x-daypass-gateway-secret"  # noqa: S105  (a header's name)
KEY_ID_HEADER = "x-daypass-api-key-id"

STREAM_TIMEOUT_MS = 15 * 60 * 1000
"""The longest that API Gateway allows for a streamed answer."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*,authorization",
    "Access-Control-Allow-Methods": "*",
}
NOT_RETRIED = {"x-should-retry": "false", "Access-Control-Expose-Headers": "x-should-retry"}

SPENT = (
    "This API key has reached the limit of its usage plan. Days, weeks and months begin at "
    "00:00 UTC. This request was not counted."
)
NO_KEY = (
    "Incorrect API key provided, or none. Send it as 'x-api-key: dp_...': API Gateway does not "
    "read 'Authorization: Bearer'. A key that was just made may need a few seconds."
)


def build_template(plans: Sequence[UsagePlan], stage: str, parameters: str = "") -> dict[str, Any]:
    """Return the template for these plans. Raises PlanNotPossibleError.

    `parameters` is any text that changes when the stack's parameters change.
    """
    api = _api_resources()
    content = json.dumps(api, sort_keys=True) + parameters
    version = hashlib.sha256(content.encode()).hexdigest()[:12]
    deployment = f"Deployment{version}"
    depends_on = [name for name, resource in api.items() if "Method" in resource["Type"]]
    depends_on += [name for name in api if name.startswith("Response")]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Daypass: API keys with daily limits, enforced by API Gateway",
        "Parameters": {
            "Origin": {
                "Type": "String",
                "Description": "Address of the Daypass server, such as https://daypass.example.org",
            },
            "GatewaySecret": {
                "Type": "String",
                "NoEcho": True,
                "MinLength": 20,
                "Description": "Shows the Daypass server that a request came through the API",
            },
        },
        "Resources": {
            **api,
            # A deployment is a snapshot: a new one is created only under a new name.
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": sorted(depends_on),
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": deployment},
                    "StageName": stage,
                },
            },
            **{_logical_id(plan): _usage_plan(plan) for plan in plans},
        },
        "Outputs": {
            "RestApiId": {"Value": {"Ref": "Api"}},
            "StageName": {"Value": {"Ref": "Stage"}},
            "BaseUrl": {
                "Value": {
                    "Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}"
                }
            },
        },
    }


def _api_resources() -> dict[str, Any]:
    return {
        "Api": {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {
                "Name": {"Ref": "AWS::StackName"},
                "Description": "In front of Daypass",
                "ApiKeySourceType": "HEADER",
                # Uploads pass unchanged. Regional: an edge endpoint cuts a silent stream at 30 s.
                "BinaryMediaTypes": ["*/*"],
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
            },
        },
        "Proxy": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "PathPart": "{proxy+}",
            },
        },
        "AnyMethod": _any_method(),
        "OptionsMethod": _options_method(),
        **_gateway_responses(),
    }


def _any_method() -> dict[str, Any]:
    header = "integration.request.header"
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": {"Ref": "Proxy"},
            "HttpMethod": "ANY",
            "AuthorizationType": "NONE",
            "ApiKeyRequired": True,
            "RequestParameters": {"method.request.path.proxy": True},
            "Integration": {
                "Type": "HTTP_PROXY",
                "IntegrationHttpMethod": "ANY",
                "Uri": {"Fn::Sub": "${Origin}/v1/{proxy}"},
                "ResponseTransferMode": "STREAM",
                "TimeoutInMillis": STREAM_TIMEOUT_MS,
                "RequestParameters": {
                    "integration.request.path.proxy": "method.request.path.proxy",
                    f"{header}.{SECRET_HEADER}": {"Fn::Sub": "'${GatewaySecret}'"},
                    f"{header}.{KEY_ID_HEADER}": "context.identity.apiKeyId",
                },
            },
        },
    }


def _options_method() -> dict[str, Any]:
    headers = {f"method.response.header.{name}": f"'{value}'" for name, value in CORS.items()}
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": {"Ref": "Proxy"},
            "HttpMethod": "OPTIONS",
            "AuthorizationType": "NONE",
            "ApiKeyRequired": False,
            "MethodResponses": [
                {"StatusCode": "204", "ResponseParameters": dict.fromkeys(headers, True)}
            ],
            "Integration": {
                "Type": "MOCK",
                # Otherwise the template below is not applied when "*/*" is a binary type.
                "ContentHandling": "CONVERT_TO_TEXT",
                "RequestTemplates": {"application/json": '{"statusCode": 204}'},
                "IntegrationResponses": [{"StatusCode": "204", "ResponseParameters": headers}],
            },
        },
    }


def _gateway_responses() -> dict[str, Any]:
    """Return API Gateway's own error responses, in the gateway's format."""
    message = "$context.error.messageString"
    other = _error(message, "invalid_request_error", "$context.error.responseType")
    other = other.replace(f'"{message}"', message)  # The variable includes its own quotation marks.
    spent = _error(
        SPENT,
        "insufficient_quota",
        "insufficient_quota",
        subject="key",
        enforcer="aws",
    )
    return {
        "ResponseInvalidKey": _response(
            "INVALID_API_KEY", 401, _error(NO_KEY, "invalid_request_error", "invalid_api_key")
        ),
        "ResponseQuotaExceeded": _response("QUOTA_EXCEEDED", 429, spent, NOT_RETRIED),
        "ResponseThrottled": _response(
            "THROTTLED",
            429,
            _error("Slow down.", "rate_limit_exceeded", "rate_limit_exceeded"),
            {"Retry-After": "1", "Access-Control-Expose-Headers": "Retry-After"},
        ),
        "ResponseUnknownPath": _response(
            "MISSING_AUTHENTICATION_TOKEN",
            404,
            _error("There is no such path.", "invalid_request_error", "unknown_url"),
        ),
        "ResponseTooLarge": _response(
            "REQUEST_TOO_LARGE",
            413,
            _error("API Gateway takes at most 10 MB.", "invalid_request_error", "body_too_large"),
        ),
        "ResponseTimeout": _response(
            "INTEGRATION_TIMEOUT",
            504,
            _error("The gateway did not answer in time.", "server_error", "upstream_timeout"),
        ),
        "ResponseUnreachable": _response(
            "INTEGRATION_FAILURE",
            502,
            _error("The gateway cannot be reached.", "server_error", "upstream_unreachable"),
        ),
        "ResponseOther4xx": _response("DEFAULT_4XX", None, other),
        "ResponseOther5xx": _response("DEFAULT_5XX", None, other),
    }


def _error(message: str, type_: str, code: str, **more: str) -> str:
    error = {"message": message, "type": type_, "param": None, "code": code, **more}
    return json.dumps({"error": error})


def _response(
    type_: str, status: int | None, body: str, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResponseType": type_,
            **({"StatusCode": str(status)} if status else {}),
            "ResponseParameters": {
                f"gatewayresponse.header.{name}": f"'{value}'"
                for name, value in (CORS | (headers or {})).items()
            },
            "ResponseTemplates": {"application/json": body},
        },
    }


def _usage_plan(plan: UsagePlan) -> dict[str, Any]:
    quota, throttle = quota_and_throttle(plan)
    limits: dict[str, Any] = {}
    if quota:
        limits["Quota"] = {"Limit": quota["limit"], "Period": quota["period"]}
    if throttle:
        limits["Throttle"] = {
            "RateLimit": throttle["rateLimit"],
            "BurstLimit": throttle["burstLimit"],
        }
    return {
        "Type": "AWS::ApiGateway::UsagePlan",
        "Properties": {
            "UsagePlanName": plan.id,
            "Description": plan.description or plan.name,
            "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}],
            **limits,
        },
    }


def _logical_id(plan: UsagePlan) -> str:
    """Return a stable name for a plan that CloudFormation accepts (letters and digits)."""
    letters = "".join(x for x in plan.id if x.isascii() and x.isalnum())
    return f"Plan{letters}{hashlib.sha256(plan.id.encode()).hexdigest()[:6]}"
