"""Where requests are relayed to: an HTTP API or the built-in demo model."""
