"""Signing in by another site: OpenID Connect, and GitHub, which has OAuth 2.0 only."""
