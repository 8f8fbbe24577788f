"""The composition root: creates the ASGI application from the settings."""
