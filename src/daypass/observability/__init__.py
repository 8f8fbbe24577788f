"""Metrics, logging, and what may be said about an error."""
