"""Targets of relayed requests: an HTTP API or the built-in demo model."""
