"""Checks of `daypass doctor` for the upstream: list its models and ask one for a token."""

import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

import orjson

from daypass.cli.finding import Finding
from daypass.config.settings import Settings, SettingsError
from daypass.domain.plans import UsagePlan
from daypass.gateway.read_ahead import ReadAhead, read_ahead
from daypass.upstreams.base import Upstream, UpstreamBrokeError, UpstreamError, UpstreamRequest
from daypass.upstreams.proxy_environment import check_proxies
from daypass.upstreams.refusals import explanation
from daypass.upstreams.selection import open_upstream

LIST_BYTES = 4 * 1024 * 1024
CHECK_KEY = "Check DAYPASS_UPSTREAM_API_KEY or OPENAI_API_KEY, and what the key may do."
CHECK_ADDRESS = "Check DAYPASS_UPSTREAM_BASE_URL and the network."
WITHOUT_V1 = (
    "Most services have their API below /v1: then DAYPASS_UPSTREAM_BASE_URL has to end in it."
)

# Names of models that are not chat models.
_NOT_CHAT = re.compile(
    r"embed|tts|whisper|dall-e|image|audio|realtime|transcri|moderation|rerank|babbage|davinci"
    r"|sora|search|instruct$|bge|clip",
    re.IGNORECASE,
)


async def examine_upstream(settings: Settings, plans: Collection[UsagePlan]) -> list[Finding]:
    """Make two real calls: the list of models, and a chat of one token if a model is known."""
    try:
        check_proxies(settings)
    except SettingsError as error:
        return [Finding("upstream", False, str(error))]
    waits = {"read_timeout_s": min(30, settings.read_timeout_s), "first_byte_timeout_s": None}
    upstream = open_upstream(settings.model_copy(update=waits))
    try:
        models, finding = await _list_models(settings, upstream)
        model = _choose_model(plans, models)
        if not finding.ok or model is None:
            return [finding]
        return [finding, await _try_chat(upstream, model)]
    finally:
        await upstream.close()


async def _list_models(settings: Settings, upstream: Upstream) -> tuple[list[str], Finding]:
    where = "the demo model" if settings.uses_demo_model else settings.upstream_base_url
    advice = "Set OPENAI_API_KEY for real answers." if settings.uses_demo_model else ""
    try:
        status, body = await _call(upstream, UpstreamRequest("GET", b"/models", [], b""))
    except (UpstreamError, UpstreamBrokeError) as error:
        return [], Finding("upstream", False, f"{where} does not answer ({error})", CHECK_ADDRESS)
    if status in (401, 403):
        found = f"{where} refuses the key ({_said(status, body)})"
        return [], Finding("upstream", False, found, CHECK_KEY)
    models = _ids(body)
    if status == 200 and models is not None:
        return models, Finding("upstream", True, where, advice)
    has_path = urlsplit(settings.upstream_base_url).path not in ("", "/")
    found = f"{where} does not list its models ({_said(status, body)})"
    return [], Finding("upstream", False, found, CHECK_ADDRESS if has_path else WITHOUT_V1)


async def _try_chat(upstream: Upstream, model: str) -> Finding:
    message = {"role": "user", "content": "Hi"}
    try:
        for cap in (
            "max_tokens",
            "max_completion_tokens",
        ):  # OpenAI's newer models require this member.
            body = orjson.dumps({"model": model, "messages": [message], cap: 1})
            headers = [(b"content-type", b"application/json")]
            request = UpstreamRequest("POST", b"/chat/completions", headers, body)
            status, answer = await _call(upstream, request)
            if status != 400 or b"max_completion_tokens" not in answer:
                break
    except (UpstreamError, UpstreamBrokeError) as error:
        return Finding("chat", False, f"{model} does not answer ({error})", CHECK_ADDRESS)
    if status == 200:
        return Finding("chat", True, f"{model} answers")
    found = f"{model} does not answer ({_said(status, answer)})"
    if status in (401, 403, 429):
        return Finding("chat", False, found, "Check the key's permissions, credit and limits.")
    if status >= 500:
        return Finding("chat", False, found, "The upstream itself fails.")
    # It may not be a chat model: its name does not tell.
    return Finding("chat", True, found, "Try a model of yours: this one was chosen by its name.")


async def _call(upstream: Upstream, request: UpstreamRequest) -> tuple[int, bytes]:
    response = await upstream.open(request)
    try:
        if response.status >= 300:
            error: ReadAhead = await read_ahead(response)
            return error.status, error.beginning
        body = b""
        while not response.ended and len(body) <= LIST_BYTES:
            body += await response.read()
        return response.status, body
    finally:
        response.close()


def _choose_model(plans: Collection[UsagePlan], models: list[str]) -> str | None:
    """Return a model of the plans, or a listed one that looks like a chat model."""
    planned: Iterable[str] = sorted({x for plan in plans for x in plan.models})
    listed = [x for x in models if not _NOT_CHAT.search(x)]
    return next((x for x in planned if x in models), next(iter(listed), None))


def _ids(body: bytes) -> list[str] | None:
    try:
        document: Any = orjson.loads(body)
        return [str(model["id"]) for model in document["data"]]
    except (ValueError, KeyError, TypeError):
        return None


def _said(status: int, body: bytes) -> str:
    code, message = explanation(body)
    if not code and not message and body.lstrip()[:1] == b"<":
        message = "a web page"
    return ", ".join(x for x in (str(status), code, message) if x)
