"""Daypass: self-service API keys with daily limits, in front of any OpenAI-compatible upstream."""

__version__ = "0.1.0"
