"""Sign-in with another site: OpenID Connect, and GitHub, which supports OAuth 2.0 only."""
