"""Metrics, logging, and safe descriptions of errors."""
