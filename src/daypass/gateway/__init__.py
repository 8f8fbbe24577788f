"""The data plane, /v1/*: a plain ASGI application, no framework on the hot path."""
