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


def failure_of(error: UpstreamError, body: bytes | StreamedBody) -> Exception:
    """What the caller is told of an upstream that did not answer; his own fault where it was."""
    if isinstance(body, StreamedBody) and body.is_incomplete:
        return body.failure()
    log.warning("upstream_failed", reason=str(error) or type(error).__name__)
    if isinstance(error, UpstreamTimeoutError):
        message = "The upstream did not answer in time. Please try again."
        return server_error(504, "upstream_timeout", message, uncounted=True)
    message = "The upstream cannot be reached. Please try again."
    return server_error(502, "upstream_unreachable", message, uncounted=True)
