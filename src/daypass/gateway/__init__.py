"""The data plane, /v1/*: a plain ASGI application without a framework on the hot path."""
