"""What to make of the upstream's answer, or of its failure: who pays, and what the caller reads."""

import structlog

from daypass.gateway.errors import server_error
from daypass.gateway.request import StreamedBody
from daypass.gateway.upstream import UpstreamError, UpstreamResponse, UpstreamTimeoutError

log = structlog.get_logger()


def was_served(response: UpstreamResponse) -> bool:
    """Whether the upstream did the work: its own limit, a refusal of us or a fault is none."""
    status = response.status
    return status not in (401, 403, 429) and status < 500 and not 300 <= status < 400


def refuse_misconfigured(response: UpstreamResponse) -> None:
    """Raise GatewayError 502 when the upstream refuses the operator: the caller's key is fine."""
    if response.status in (401, 403) or 300 <= response.status < 400:
        log.error("upstream_misconfigured", status=response.status)
        message = (
            "The upstream refused this gateway's own key or address. Your key is fine. The "
            "operator of this site has to look at it."
        )
        raise server_error(502, "upstream_misconfigured", message, uncounted=True)


def may_have_been_served(
    error: UpstreamError, body: bytes | StreamedBody, *, give_back_timeouts: bool
) -> bool:
    """Whether the upstream may have done the work of a request that it did not answer.

    It may have begun as soon as it had read what it needed, whatever framing was still to come:
    so a caller who withholds the end of a body pays. A time-out of a request that was sent pays
    too, unless the operator gives those back; what the upstream itself did not take does not.
    """
    timed_out = isinstance(error, UpstreamTimeoutError) and error.was_sent
    if isinstance(body, StreamedBody) and not body.ended.is_set():
        is_callers_doing = body.is_incomplete or timed_out
        return is_callers_doing and body.may_suffice
    return timed_out and not give_back_timeouts


def failure_of(error: UpstreamError, body: bytes | StreamedBody) -> Exception:
    """What the caller is told of an upstream that did not answer; his own fault where it was."""
    if isinstance(body, StreamedBody) and body.is_incomplete:
        return body.failure()
    log.warning("upstream_failed", reason=str(error) or type(error).__name__)
    if isinstance(error, UpstreamTimeoutError):
        message = "The upstream did not answer in time."
        return server_error(504, "upstream_timeout", message, uncounted=True)
    message = "The upstream cannot be reached."
    return server_error(502, "upstream_unreachable", message, uncounted=True)
