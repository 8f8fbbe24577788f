"""POST /api/chat/completions, the site's chat, and GET /api/models."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from daypass.portal.api_keys import find
from daypass.portal.context import InPortal, SignedIn
from daypass.portal.problems import ANSWERS, INVALID_JSON, ProblemError
from daypass.records import api_keys

router = APIRouter(tags=["chat"])

# The request body and the upstream's responses are relayed, not modelled.
CHAT_SCHEMA = {
    "type": "object",
    "description": "An OpenAI chat completion request, with `api_key_id` (one of your keys)",
    "properties": {"api_key_id": {"type": "string"}},
    "required": ["api_key_id"],
    "examples": [{"api_key_id": "key_…", "model": "gpt-4o-mini", "messages": []}],
}
RELAYED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}, "text/event-stream": {}}},
    **{status: answer | {"content": {"*/*": {}}} for status, answer in ANSWERS.items()},
}

NOT_ON_AWS = "On this site API Gateway counts requests, and only those that carry the key itself."


class ModelView(BaseModel):
    """A model of the upstream."""

    id: str


class ServedBy(Response):
    """A response whose status, headers and stream come from an ASGI application."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__()
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the application's response."""
        await self._application(scope, receive, send)


@router.post(
    "/chat/completions",
    response_class=Response,
    responses=RELAYED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": CHAT_SCHEMA}},
        }
    },
)
async def chat(request: Request, account: SignedIn, portal: InPortal) -> Response:
    """Create a chat completion with one of your API keys. Counts like a call with the key itself.

    With the `aws` enforcer this returns 409: the chat then calls API Gateway with the key itself.

    Streams on request. Errors from the gateway (limits, the upstream) have OpenAI's format;
    earlier ones are problem details.
    """
    body = _parse(await request.body())
    api_key_id = body.pop("api_key_id", None)
    if not isinstance(api_key_id, str):
        raise ProblemError(422, "Choose one of your API keys.", field="api_key_id")
    key = await find(portal, account, api_key_id)
    if portal.settings.enforcer == "aws":
        raise ProblemError(409, f"{NOT_ON_AWS} Call {portal.gateway_base_url}/chat/completions.")
    return ServedBy(portal.serve_chat(key.id, orjson.dumps(body)))


def _parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises 400, also for NaN and lone surrogates."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ProblemError(400, INVALID_JSON) from None
    if not isinstance(document, dict):
        raise ProblemError(422, "The request body must be a JSON object.")
    return document


@router.get("/models")
async def list_models(
    account: SignedIn, portal: InPortal, api_key_id: str | None = None
) -> list[ModelView]:
    """List the models that one of your API keys may use; without `api_key_id`, any of your keys.

    Accounts without keys see the models of the plans on offer. Does not count as a request.
    """
    if api_key_id is not None:
        keys = [await find(portal, account, api_key_id)]
    else:
        async with portal.database.read() as session:
            keys = await api_keys.list_of(session, account.id)
    plans = (await portal.policy()).plans
    models = await portal.list_models()
    if keys:
        of_keys = [(plans.get(key.usage_plan_id), frozenset(key.allowed_models)) for key in keys]
    else:
        of_keys = [(plan, frozenset()) for plan in plans.values() if plan.self_service]
    return [
        ModelView(id=model)
        for model in models
        if any(plan is not None and plan.allows(model, narrowed) for plan, narrowed in of_keys)
    ]
