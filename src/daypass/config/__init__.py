"""Settings: read from the environment and `daypass.toml`, checked and typed."""
