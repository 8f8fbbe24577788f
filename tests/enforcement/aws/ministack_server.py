"""ministack with missing API Gateway features. Runs in ministack's own virtual environment.

Added here, as the AWS documentation describes them:
- an HTTP proxy integration sets the headers that its request parameters name, replacing
  the client's, and relays the response's headers;
- UpdateUsage sets what a key has left, GetUsage returns it;
- a key that UpdateApiKey disables is refused.
"""

# ministack has no types, and mypy does not look into its environment.
# mypy: ignore-errors

import asyncio
import json
import time
import urllib.error
import urllib.request

from ministack.app import main
from ministack.services import apigateway_v1 as v1

PREFIX = "integration.request.header."
NOT_PASSED = {"host", "content-length", "connection", "transfer-encoding", "accept-encoding"}


def mapped_headers(integration, headers):
    """Return the request's headers, with those that the integration sets."""
    key = v1._resolve_api_key(v1._api_key_from_request(headers))
    context = {"context.identity.apiKeyId": key["id"] if key else ""}
    added = {}
    for place, source in (integration.get("requestParameters") or {}).items():
        if place.startswith(PREFIX):
            is_text = source.startswith("'") and source.endswith("'")
            added[place.removeprefix(PREFIX)] = source[1:-1] if is_text else context.get(source, "")
    kept = {k: v for k, v in headers.items() if k.lower() not in NOT_PASSED | set(added)}
    return kept | added


async def invoke_http_proxy(
    integration, path, method, headers, body, query_params, path_params=None
):
    """Forward a request to the integration's address and return its response."""
    uri = integration["uri"].replace("{proxy}", (path_params or {}).get("proxy", ""))
    request = urllib.request.Request(
        uri, data=body or None, method=method, headers=mapped_headers(integration, headers)
    )
    try:
        return await asyncio.to_thread(fetch, request)
    except urllib.error.URLError:
        return v1._gw_error("INTEGRATION_FAILURE", "Internal server error")


def fetch(request):
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, passed_back(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, passed_back(error.headers), error.read()


def passed_back(headers):
    return {k: v for k, v in headers.items() if k.lower() not in NOT_PASSED}


def limit_of(plan_id):
    return int((v1._usage_plans.get(plan_id, {}).get("quota") or {}).get("limit", 0))


def update_usage(plan_id, key_id, data):
    for patch in data["patchOperations"]:
        assert patch["path"] == "/remaining", patch
        used = limit_of(plan_id) - int(patch["value"])
        v1._quota_state[(plan_id, key_id)] = (used, time.time())
    return get_usage(plan_id, key_id)


def get_usage(plan_id, key_id):
    used, _since = v1._quota_state.get((plan_id, key_id), (0, 0))
    values = {key_id: [[used, limit_of(plan_id) - used]]}
    return v1._v1_response({"usagePlanId": plan_id, "values": values})


handle_request = v1.handle_request


async def handle(method, path, headers, body, query_params):
    match path.strip("/").split("/"):
        case ["usageplans", plan_id, "keys", key_id, "usage"] if method == "PATCH":
            return update_usage(plan_id, key_id, json.loads(body))
        case ["usageplans", plan_id, "usage"]:
            key_id = query_params["keyId"]
            return get_usage(plan_id, key_id[0] if isinstance(key_id, list) else key_id)
        case ["apikeys", key_id] if method == "PATCH":
            answer = await handle_request(method, path, headers, body, query_params)
            key = v1._api_keys.get(key_id)
            if key is not None:
                key["enabled"] = str(key["enabled"]).lower() == "true"
            return answer
    return await handle_request(method, path, headers, body, query_params)


v1.handle_request = handle
v1._invoke_http_proxy_v1 = invoke_http_proxy

if __name__ == "__main__":
    main()
