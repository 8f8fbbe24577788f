"""Classifies upstream answers and failures: whether they count, and which error the client gets."""

from daypass.gateway.errors import GatewayError, server_error
from daypass.gateway.request import StreamedBody
from daypass.upstreams.base import UpstreamError, UpstreamResponse, UpstreamTimeoutError
from daypass.upstreams.read_ahead import ReadAhead
from daypass.upstreams.refusals import error_code


def is_refusal(response: UpstreamResponse) -> bool:
    """Return whether an answer may be meant for the operator: 401, 403 or a redirect.

    304 is not: it answers a client's conditional request (RFC 9110, section 15.4.5).
    """
    status = response.status
    return status in (401, 403) or (300 <= status < 400 and status != 304)


def is_chargeable(response: UpstreamResponse | ReadAhead) -> bool:
    """Return whether an answer counts: not for a 429, a 5xx or a refusal of the operator.

    Pass a refusal as a ReadAhead. A 403 for a model that does not exist is the client's error and
    counts, like OpenAI's 404 with the same code.
    """
    if isinstance(response, ReadAhead):
        return response.status == 403 and error_code(response.beginning) == "model_not_found"
    return response.status != 429 and response.status < 500


def refused_operator() -> GatewayError:
    """Return the 502 for an upstream that refuses the operator. The client's key is fine."""
    return _misconfigured(
        "The upstream refused this gateway's own key or address. Your key is fine. The "
        "operator of this site has to look at it."
    )


def no_upstream() -> GatewayError:
    """Return the 502 for a site whose upstreams are all off."""
    return _misconfigured(
        "None of this site's upstreams is in use. The operator of this site has to look at it."
    )


def _misconfigured(message: str) -> GatewayError:
    error = server_error(502, "upstream_misconfigured", message, uncounted=True)
    # Only the operator can fix this, so SDKs must not retry.
    error.headers = [(b"x-should-retry", b"false")]
    return error


def may_have_been_served(
    error: UpstreamError, body: bytes | StreamedBody, *, give_back_timeouts: bool
) -> bool:
    """Return whether the upstream may have done the work of a request that it did not answer.

    It may start once it has read enough, even before the body's framing ends. Therefore a client
    that withholds the end of a body is charged. A timeout after the request was sent is charged
    unless `give_back_timeouts` is set. A body that the upstream stopped reading is not charged.
    """
    timed_out = isinstance(error, UpstreamTimeoutError) and error.was_sent
    if isinstance(body, StreamedBody) and not body.ended.is_set():
        is_callers_doing = body.is_incomplete or timed_out
        return is_callers_doing and body.may_suffice
    return timed_out and not give_back_timeouts


def failure_of(error: UpstreamError, body: bytes | StreamedBody) -> Exception:
    """Return the error for an unanswered request: the body's own failure if it was incomplete."""
    if isinstance(body, StreamedBody) and body.is_incomplete:
        return body.failure()
    reason = reason_of(error)
    if isinstance(error, UpstreamTimeoutError):
        return server_error(504, reason, "The upstream did not answer in time.", uncounted=True)
    return server_error(502, reason, "The upstream cannot be reached.", uncounted=True)


def reason_of(error: UpstreamError) -> str:
    """Return the code of an upstream's failure, as in receipts and metrics."""
    is_timeout = isinstance(error, UpstreamTimeoutError)
    return "upstream_timeout" if is_timeout else "upstream_unreachable"


def words_of(error: UpstreamError | None) -> str:
    """Return what is logged of an upstream's failure."""
    return "" if error is None else str(error) or type(error).__name__
