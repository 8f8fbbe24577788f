"""The database: accounts, API keys, usage."""
