"""The endpoints of the OpenAI API below `/v1`, and how Daypass handles each. No I/O.

`docs/endpoints.md` has the same table with reasons; a test keeps the two in sync.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote


class EndpointClass(StrEnum):
    """The class of an endpoint. It decides whether requests are relayed and counted."""

    METERED = "metered"
    """Relayed and counted."""
    FREE = "free"
    """Relayed and not counted."""
    STORED = "stored"
    """Reads or writes objects stored upstream: see `DAYPASS_STORED_OBJECTS`."""
    UNKNOWN = "unknown"
    """Off, unless `DAYPASS_EXTRA_PATHS` names its path."""


class ModelChoice(StrEnum):
    """How a call to an endpoint chooses its model."""

    REQUIRED = "required"
    """Every call uses a model: the one it names, or the upstream's default."""
    OPTIONAL = "optional"
    """A call need not name a model; any that it names are checked."""
    IN_FILE = "in a file"
    """The models are in a file that the gateway does not read."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method on one path."""

    method: str
    pattern: str
    """The path below `/v1`; `{name}` is one segment, `{name+}` one or more."""
    cls: EndpointClass
    model: ModelChoice = ModelChoice.OPTIONAL
    takes_form: bool = False
    """Whether the body may be a multipart form."""
    billed_later: bool = False
    """Whether it starts work whose cost is only known after the answer."""


class Route(NamedTuple):
    """The endpoint of a request and its decoded path parameters."""

    endpoint: Endpoint
    parameters: dict[str, str]


UNKNOWN = Endpoint("*", "*", EndpointClass.UNKNOWN, ModelChoice.REQUIRED, takes_form=True)
FREE_METHODS = ("GET", "HEAD")

# Flags after a path: M = model required, B = model in a file, F = takes a form, L = billed later.
_METERED = """
POST /chat/completions M
POST /responses M
POST /responses/compact M
POST /responses/input_tokens M
POST /completions M
POST /embeddings M
POST /images/generations M
POST /images/edits MF
POST /images/variations MF
POST /audio/speech M
POST /audio/transcriptions MF
POST /audio/translations MF
POST /moderations M
POST /decisions M
POST /content_provenance_checks F
POST /messages M
POST /messages/count_tokens M
POST /rerank M
POST /engines/{model}/chat/completions M
POST /engines/{model}/completions M
POST /engines/{model}/embeddings M
POST /deployments/{model}/chat/completions M
POST /deployments/{model}/completions M
POST /deployments/{model}/embeddings M
POST /deployments/{model}/images/generations M
POST /deployments/{model}/images/edits MF
POST /deployments/{model}/audio/speech M
POST /deployments/{model}/audio/transcriptions MF
POST /deployments/{model}/audio/translations MF
"""
_FREE = """
GET /models
GET /models/{model+}
"""
_STORED = """
GET /chat/completions
GET /chat/completions/{completion_id}
POST /chat/completions/{completion_id}
DELETE /chat/completions/{completion_id}
GET /chat/completions/{completion_id}/messages
GET /responses/{response_id}
DELETE /responses/{response_id}
POST /responses/{response_id}/cancel
GET /responses/{response_id}/input_items
POST /conversations
GET /conversations/{conversation_id}
POST /conversations/{conversation_id}
DELETE /conversations/{conversation_id}
GET /conversations/{conversation_id}/items
POST /conversations/{conversation_id}/items
GET /conversations/{conversation_id}/items/{item_id}
DELETE /conversations/{conversation_id}/items/{item_id}
GET /files
POST /files F
GET /files/{file_id}
DELETE /files/{file_id}
GET /files/{file_id}/content
POST /uploads
POST /uploads/{upload_id}/cancel
POST /uploads/{upload_id}/complete
POST /uploads/{upload_id}/parts F
GET /batches
POST /batches BL
GET /batches/{batch_id}
POST /batches/{batch_id}/cancel
GET /fine_tuning/jobs
POST /fine_tuning/jobs ML
GET /fine_tuning/jobs/{fine_tuning_job_id}
POST /fine_tuning/jobs/{fine_tuning_job_id}/cancel
POST /fine_tuning/jobs/{fine_tuning_job_id}/pause
POST /fine_tuning/jobs/{fine_tuning_job_id}/resume L
GET /fine_tuning/jobs/{fine_tuning_job_id}/checkpoints
GET /fine_tuning/jobs/{fine_tuning_job_id}/events
DELETE /models/{model+}
GET /vector_stores
POST /vector_stores L
GET /vector_stores/{vector_store_id}
POST /vector_stores/{vector_store_id}
DELETE /vector_stores/{vector_store_id}
POST /vector_stores/{vector_store_id}/search
GET /vector_stores/{vector_store_id}/files
POST /vector_stores/{vector_store_id}/files L
GET /vector_stores/{vector_store_id}/files/{file_id}
POST /vector_stores/{vector_store_id}/files/{file_id}
DELETE /vector_stores/{vector_store_id}/files/{file_id}
GET /vector_stores/{vector_store_id}/files/{file_id}/content
POST /vector_stores/{vector_store_id}/file_batches L
GET /vector_stores/{vector_store_id}/file_batches/{file_batch_id}
POST /vector_stores/{vector_store_id}/file_batches/{file_batch_id}/cancel
GET /vector_stores/{vector_store_id}/file_batches/{file_batch_id}/files
GET /assistants
POST /assistants M
GET /assistants/{assistant_id}
POST /assistants/{assistant_id}
DELETE /assistants/{assistant_id}
POST /threads
POST /threads/runs L
GET /threads/{thread_id}
POST /threads/{thread_id}
DELETE /threads/{thread_id}
GET /threads/{thread_id}/messages
POST /threads/{thread_id}/messages
GET /threads/{thread_id}/messages/{message_id}
POST /threads/{thread_id}/messages/{message_id}
DELETE /threads/{thread_id}/messages/{message_id}
GET /threads/{thread_id}/runs
POST /threads/{thread_id}/runs L
GET /threads/{thread_id}/runs/{run_id}
POST /threads/{thread_id}/runs/{run_id}
POST /threads/{thread_id}/runs/{run_id}/cancel
POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs L
GET /threads/{thread_id}/runs/{run_id}/steps
GET /threads/{thread_id}/runs/{run_id}/steps/{step_id}
GET /containers
POST /containers L
GET /containers/{container_id}
DELETE /containers/{container_id}
GET /containers/{container_id}/files
POST /containers/{container_id}/files F
GET /containers/{container_id}/files/{container_file_id}
DELETE /containers/{container_id}/files/{container_file_id}
GET /containers/{container_id}/files/{container_file_id}/content
GET /evals
POST /evals
GET /evals/{eval_id}
POST /evals/{eval_id}
DELETE /evals/{eval_id}
GET /evals/{eval_id}/runs
POST /evals/{eval_id}/runs L
GET /evals/{eval_id}/runs/{eval_run_id}
POST /evals/{eval_id}/runs/{eval_run_id}
POST /evals/{eval_id}/runs/{eval_run_id}/cancel
DELETE /evals/{eval_id}/runs/{eval_run_id}
GET /evals/{eval_id}/runs/{eval_run_id}/output_items
GET /evals/{eval_id}/runs/{eval_run_id}/output_items/{output_item_id}
GET /videos
POST /videos MFL
POST /videos/edits FL
POST /videos/extensions FL
GET /videos/{video_id}
DELETE /videos/{video_id}
GET /videos/{video_id}/content
POST /videos/{video_id}/remix L
"""

TURNED_OFF = {
    "/organization": "it administers the operator's organisation",
    "/projects": "it administers the operator's organisation",
    "/realtime": "it hands out credentials for calls that no limit would count",
    "/live": "it starts calls that no limit would count",
    "/chatkit": "it hands out credentials for calls that no limit would count",
    "/agents": "it starts work on the upstream whose cost no limit would bound",
    "/vaults": "it holds the operator's credentials for other services",
    "/webhook_endpoints": "it sends the operator's events elsewhere",
    "/webhook_event_types": "it belongs to the operator's webhooks",
    "/safety": "it shows the operator's own safety cases",
    "/skills": "it stores programs that the upstream runs",
    "/audio/voices": "it stores recordings of people's voices",
    "/audio/voice_consents": "it stores recordings of people's voices",
    "/videos/characters": "it stores likenesses of people",
    "/fine_tuning/checkpoints": "it shares the operator's models with other projects",
    "/fine_tuning/alpha": "its endpoints may change at any time",
}
"""Endpoints of the OpenAI API that are deliberately left unknown, and why."""


def route_of(method: str, path: bytes) -> Route:
    """Return the route of a request. `path` is below `/v1`, percent-encoded as sent.

    Trailing slashes and percent-encoded letters are read as a lenient upstream would read them.
    Paths are case-sensitive: any other spelling is an unknown endpoint.
    """
    return _COMMON.get((method, path)) or _find(method, path)


@lru_cache(4096)
def _find(method: str, path: bytes) -> Route:
    method = "GET" if method in FREE_METHODS else method
    segments = unquote(path.decode()).strip("/").split("/")
    for endpoint in ENDPOINTS:
        if endpoint.method == method:
            parameters = _match(endpoint.pattern.strip("/").split("/"), segments)
            if parameters is not None:
                return Route(endpoint, parameters)
    return Route(UNKNOWN, {})


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    """Return the path parameters if the segments match the pattern, else None."""
    if pattern[-1].endswith("+}") and len(segments) > len(pattern):
        kept = len(pattern) - 1
        segments = [*segments[:kept], "/".join(segments[kept:])]
    if len(pattern) != len(segments):
        return None
    parameters = {}
    for expected, segment in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            parameters[expected.strip("{+}")] = segment
        elif expected != segment:
            return None
    return parameters


def _parse(table: str, cls: EndpointClass) -> tuple[Endpoint, ...]:
    return tuple(_parse_row(line.split(), cls) for line in table.strip().splitlines())


def _parse_row(row: list[str], cls: EndpointClass) -> Endpoint:
    method, pattern, *rest = row
    flags = rest[0] if rest else ""
    model = ModelChoice.OPTIONAL
    if "M" in flags:
        model = ModelChoice.REQUIRED
    elif "B" in flags:
        model = ModelChoice.IN_FILE
    return Endpoint(method, pattern, cls, model, "F" in flags, "L" in flags)


# Literal paths come first, or `/responses/compact` would match `/responses/{response_id}`.
ENDPOINTS = tuple(
    sorted(
        (
            *_parse(_METERED, EndpointClass.METERED),
            *_parse(_FREE, EndpointClass.FREE),
            *_parse(_STORED, EndpointClass.STORED),
        ),
        key=lambda endpoint: "{" in endpoint.pattern,
    )
)
_COMMON = {
    (endpoint.method, endpoint.pattern.encode()): Route(endpoint, {})
    for endpoint in ENDPOINTS
    if "{" not in endpoint.pattern
}
