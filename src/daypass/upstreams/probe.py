"""Tries an upstream: lists its models, and makes a small real chat call."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from daypass.upstreams.base import (
    Upstream,
    UpstreamBrokeError,
    UpstreamError,
    UpstreamRequest,
    UpstreamTimeoutError,
)
from daypass.upstreams.read_ahead import read_ahead
from daypass.upstreams.refusals import explanation

LIST_BYTES = 4 * 1024 * 1024

# Names of models that are not chat models.
_NOT_CHAT = re.compile(
    r"embed|tts|whisper|dall-e|image|audio|realtime|transcri|moderation|rerank|babbage|davinci"
    r"|sora|search|instruct$|bge|clip",
    re.IGNORECASE,
)

Step = Literal["models", "chat"]
Cause = Literal[
    "address", "certificate", "timeout", "key", "no_v1", "no_list", "no_model", "limits", "fault",
    "other",
]  # fmt: skip

ADVICE: dict[Cause, str] = {
    "address": "Check the address and its port, and that the service runs and can be reached from "
    "the machine that runs Daypass.",
    "certificate": "The service needs a certificate that this machine trusts, for the name in the "
    "address.",
    "timeout": "Check the address. If the model is still being loaded, try again in a minute.",
    "key": "Check that the key is complete, belongs to this service and may use the model, and "
    "that it is sent in the header that the service expects.",
    "no_v1": "Most services have their API below /v1: add /v1 to the address.",
    "no_list": "Check the address: it is the part before /chat/completions.",
    "no_model": "Name a model that this upstream serves.",
    "limits": "Check the key's permissions, credit and limits at the service.",
    "fault": "The service itself fails. Try again later, or ask its operator.",
    "other": "Try a chat model of this upstream by name.",
}


@dataclass(frozen=True, slots=True)
class ProbeProblem:
    """What failed, and what to do."""

    step: Step
    cause: Cause
    what: str

    @property
    def advice(self) -> str:
        """Return what to do about it."""
        return ADVICE[self.cause]


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of trying an upstream."""

    models: list[str]
    model_tried: str | None
    problem: ProbeProblem | None
    latency_ms: int
    """Of the last call."""


async def probe(
    upstream: Upstream, base_url: str, *, model: str | None = None, preferred: Iterable[str] = ()
) -> Probe:
    """Try an upstream: list its models, then chat with `model` or one that looks like a chat model.

    Models in `preferred` come first. An upstream need not list its models if `model` is given.
    """
    began = time.monotonic()
    models, problem = await _list_models(upstream, base_url)
    may_go_on = problem is None or (model is not None and problem.cause in ("no_v1", "no_list"))
    tried = model or _choose_model(models, preferred)
    if problem is None and tried is None:
        what = "It lists no chat model" if models else "It lists no models"
        problem = ProbeProblem("models", "no_model", what)
    if not may_go_on or tried is None:
        return Probe(models, None, problem, _ms_since(began))
    began = time.monotonic()
    problem = await _try_chat(upstream, tried)
    return Probe(models, tried, problem, _ms_since(began))


async def _list_models(upstream: Upstream, base_url: str) -> tuple[list[str], ProbeProblem | None]:
    try:
        status, body = await _call(upstream, UpstreamRequest("GET", b"/models", [], b""))
    except (UpstreamError, UpstreamBrokeError) as error:
        return [], ProbeProblem("models", _cause_of(error), f"It does not answer ({error})")
    if status in (401, 403):
        return [], ProbeProblem("models", "key", f"It refuses the key ({_said(status, body)})")
    models = _ids(body)
    if status == 200 and models is not None:
        return models, None
    has_path = urlsplit(base_url).path not in ("", "/")
    what = f"It does not list its models ({_said(status, body)})"
    if status >= 500 or status == 429:
        return [], ProbeProblem("models", "limits" if status == 429 else "fault", what)
    return [], ProbeProblem("models", "no_list" if has_path else "no_v1", what)


async def _try_chat(upstream: Upstream, model: str) -> ProbeProblem | None:
    message = {"role": "user", "content": "Hi"}
    try:
        # OpenAI's newer models require the second member.
        for cap in ("max_tokens", "max_completion_tokens"):
            body = orjson.dumps({"model": model, "messages": [message], cap: 1})
            headers = [(b"content-type", b"application/json")]
            request = UpstreamRequest("POST", b"/chat/completions", headers, body)
            status, answer = await _call(upstream, request)
            if status != 400 or b"max_completion_tokens" not in answer:
                break
    except (UpstreamError, UpstreamBrokeError) as error:
        return ProbeProblem("chat", _cause_of(error), f"{model} does not answer ({error})")
    if status == 200:
        return None
    what = f"{model} does not answer ({_said(status, answer)})"
    if status in (401, 403):
        return ProbeProblem("chat", "key", what)
    if status == 429:
        return ProbeProblem("chat", "limits", what)
    return ProbeProblem("chat", "fault" if status >= 500 else "other", what)


def _cause_of(error: Exception) -> Cause:
    if isinstance(error, UpstreamTimeoutError):
        return "timeout"
    is_tls = "certificate" in str(error) or "SSL" in str(error)
    return "certificate" if is_tls else "address"


async def _call(upstream: Upstream, request: UpstreamRequest) -> tuple[int, bytes]:
    response = await upstream.open(request)
    try:
        if response.status >= 300:
            error = await read_ahead(response)
            return error.status, error.beginning
        body = b""
        while not response.ended and len(body) <= LIST_BYTES:
            body += await response.read()
        return response.status, body
    finally:
        response.close()


def _choose_model(models: list[str], preferred: Iterable[str]) -> str | None:
    listed = [x for x in models if not _NOT_CHAT.search(x)]
    return next((x for x in preferred if x in models), next(iter(listed), None))


def _ids(body: bytes) -> list[str] | None:
    try:
        document: Any = orjson.loads(body)
        models = document if isinstance(document, list) else document["data"]
        return [str(model["id"]) for model in models]
    except (ValueError, KeyError, TypeError):
        return None


def _said(status: int, body: bytes) -> str:
    code, message = explanation(body)
    if not code and not message and body.lstrip()[:1] == b"<":
        message = "a web page"
    return ", ".join(x for x in (str(status), code, message) if x)


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
