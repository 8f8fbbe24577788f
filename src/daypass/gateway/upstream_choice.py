"""The upstreams to which a call may go."""

from collections.abc import Mapping
from typing import Any

from daypass.gateway.call import Call
from daypass.gateway.endpoints import EndpointClass
from daypass.gateway.errors import GatewayError
from daypass.gateway.stored_names import may_name_stored_objects
from daypass.gateway.verdict import no_upstream
from daypass.upstreams.current import CurrentUpstreams
from daypass.upstreams.routing import Candidate


def choose_upstreams(
    upstreams: CurrentUpstreams, call: Call, document: Mapping[str, Any], *, keeps_objects: bool
) -> tuple[Candidate, ...]:
    """Return the upstreams to try for a call, in turn.

    `document` is the parsed JSON body; empty for others. With `keeps_objects`, stored objects are
    relayed: those are all at the first upstream. Raises GatewayError: 404 `model_not_found` if no
    upstream serves the model, 502 if every upstream is off.
    """
    members = upstreams.members
    if not members:
        raise no_upstream()
    is_for_first = call.is_model_list or (keeps_objects and _uses_objects(call, document))
    if is_for_first:
        return (Candidate(members[0]),)
    # An alias replaces the `model` member of a JSON body, and nothing else.
    takes_alias = isinstance(call.body, bytes) and document.get("model") == call.model
    found = upstreams.candidates(call.model, takes_alias=takes_alias)
    if not found:
        message = (
            f"No upstream of this site serves the model {call.model}. GET /v1/models lists the "
            "models that you can use."
        )
        raise GatewayError(404, "model_not_found", message, param="model", uncounted=True)
    return found


def _uses_objects(call: Call, document: Mapping[str, Any]) -> bool:
    endpoint = call.route.endpoint
    return (
        endpoint.cls is EndpointClass.STORED
        or endpoint.pattern.startswith("/responses")
        or document.get("store") is True
        or may_name_stored_objects(document)
    )
