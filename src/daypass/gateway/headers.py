"""Filters the headers that are relayed in each direction."""

from collections.abc import Mapping

from daypass.http.types import Headers

UNDERSCORE = ord("_")

# RFC 9110, section 7.6.1, and older names that are still in use.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
NOT_SENT_UPSTREAM = HOP_BY_HOP | {
    b"host",
    b"content-length",
    b"expect",
    b"accept-encoding",
    b"authorization",
    b"x-api-key",
    b"x-daypass-api-key-id",
    b"x-daypass-gateway-secret",
    b"api-key",
    b"openai-organization",
    b"openai-project",
    b"cookie",
    # The client's address or location, added by proxies and CDNs in front of Daypass.
    b"forwarded",
    b"via",
    b"x-real-ip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"true-client-ip",
    b"cf-connecting-ip",
    b"cf-connecting-ipv6",
    b"cf-pseudo-ipv4",
    b"cf-ipcountry",
    b"do-connecting-ip",
    b"fastly-client-ip",
    b"fly-client-ip",
    b"x-azure-clientip",
    b"x-envoy-external-address",
    b"x-original-forwarded-for",
    # Browser headers about the requesting page. Ollama refuses unknown origins.
    b"origin",
    b"referer",
    # Some upstreams let these override the method or path that Daypass has checked.
    b"x-http-method",
    b"x-http-method-override",
    b"x-method-override",
    b"x-original-url",
    b"x-rewrite-url",
}
CHOOSE_MODEL = frozenset(
    {
        b"ai-language-model-id",
        b"ai-model-id",
        b"azureml-model-deployment",
        b"deployment",
        b"engine",
        b"mm-model-id",
        b"mm-vmodel-id",
        b"model",
        b"model-id",
        b"model-name",
        b"x-deployment",
        b"x-engine",
        b"x-model",
        b"x-model-id",
        b"x-model-name",
        b"x-selected-model",
    }
)
PREFIXES_CHOOSE_MODEL = (
    b"cf-aig-",
    b"helicone-",
    b"x-ai-eg-",
    b"x-amzn-sagemaker-",
    b"x-bf-",
    b"x-gateway-",
    b"x-helicone-",
    b"x-higress-",
    b"x-litellm-",
    b"x-ms-oai-",
    b"x-portkey-",
    b"x-tfy-",
    b"x-vsr-",
)
"""Headers that choose a model or a route to one in some gateways and servers. `docs/endpoints.md`
lists which."""
PREFIXES_NOT_SENT_UPSTREAM = (
    b"x-forwarded-",
    b"x-vercel-forwarded-",
    b"x-vercel-ip-",
    b"cloudfront-viewer-",
    b"sec-",
    b"access-control-",
)
NOT_SENT_BACK = HOP_BY_HOP | {
    b"set-cookie",
    b"openai-organization",
    b"openai-project",
    b"server",
    b"date",
    b"alt-svc",
    b"strict-transport-security",
    b"x-request-id",
    b"ratelimit",
    b"ratelimit-policy",
}
# `x-accel-…` is meant for the upstream's nginx, but an nginx in front of Daypass would obey it.
PREFIXES_NOT_SENT_BACK = (b"x-ratelimit-", b"access-control-", b"x-accel-")


def request_headers(headers: Headers, by_name: Mapping[bytes, bytes]) -> Headers:
    """Return the client's headers that may be sent upstream.

    Names with an underscore are dropped: CGI and WSGI read `x_forwarded_for` as `x-forwarded-for`.
    """
    kept = [
        pair
        for pair in headers
        if pair[0] not in NOT_SENT_UPSTREAM
        and UNDERSCORE not in pair[0]
        and not pair[0].startswith(PREFIXES_NOT_SENT_UPSTREAM)
    ]
    return kept if b"connection" not in by_name else _without_named(kept, headers)


def without_model_choice(headers: Headers) -> Headers:
    """Return the headers without those that may choose a model."""
    return [
        pair
        for pair in headers
        if pair[0] not in CHOOSE_MODEL and not pair[0].startswith(PREFIXES_CHOOSE_MODEL)
    ]


def response_headers(headers: Headers) -> Headers:
    """Return the upstream's headers that the client may see, with its request id renamed."""
    kept = [
        pair
        for pair in headers
        if pair[0] not in NOT_SENT_BACK and not pair[0].startswith(PREFIXES_NOT_SENT_BACK)
    ]
    if is_event_stream(headers):
        # By default, nginx would buffer the stream.
        kept.append((b"x-accel-buffering", b"no"))
    by_name = dict(headers)
    upstream_id = by_name.get(b"x-request-id")
    if upstream_id is not None:
        kept.append((b"x-upstream-request-id", upstream_id))
    return kept if b"connection" not in by_name else _without_named(kept, headers)


def _without_named(kept: Headers, headers: Headers) -> Headers:
    """Return `kept` without the headers named by `connection`: those are hop-by-hop."""
    lists = [value for name, value in headers if name == b"connection"]
    named = {token.strip().lower() for token in b",".join(lists).split(b",")}
    return [pair for pair in kept if pair[0] not in named]


def is_event_stream(headers: Headers) -> bool:
    """Return whether these are the headers of server-sent events."""
    return any(
        name == b"content-type" and value.lstrip().lower().startswith(b"text/event-stream")
        for name, value in headers
    )
