"""What to make of the upstream's answer, or of its failure: who pays, and what the caller reads."""

from daypass.gateway.errors import GatewayError, server_error
from daypass.gateway.read_ahead import ReadAhead
from daypass.gateway.request import StreamedBody
from daypass.upstreams.base import UpstreamError, UpstreamResponse, UpstreamTimeoutError
from daypass.upstreams.refusals import error_code


def is_refusal(response: UpstreamResponse) -> bool:
    """Whether an answer may be meant for the operator: 401, 403 or a redirect.

    304 is none: it answers a conditional request of the caller's (RFC 9110, section 15.4.5).
    """
    status = response.status
    return status in (401, 403) or (300 <= status < 400 and status != 304)


def is_chargeable(response: UpstreamResponse | ReadAhead) -> bool:
    """Whether the upstream did its part: its own limit, a refusal of us or a fault is none.

    A refusal has to be read ahead. A 403 for a model that does not exist is the caller's error,
    like OpenAI's 404 with the same code.
    """
    if isinstance(response, ReadAhead):
        return response.status == 403 and error_code(response.beginning) == "model_not_found"
    return response.status != 429 and response.status < 500


def refused_operator() -> GatewayError:
    """Return the 502 of an upstream that refuses the operator: the caller's key is fine."""
    message = (
        "The upstream refused this gateway's own key or address. Your key is fine. The "
        "operator of this site has to look at it."
    )
    error = server_error(502, "upstream_misconfigured", message, uncounted=True)
    # Only the operator can change it, so SDKs must not retry.
    error.headers = [(b"x-should-retry", b"false")]
    return error


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
    if isinstance(error, UpstreamTimeoutError):
        message = "The upstream did not answer in time."
        return server_error(504, "upstream_timeout", message, uncounted=True)
    message = "The upstream cannot be reached."
    return server_error(502, "upstream_unreachable", message, uncounted=True)
