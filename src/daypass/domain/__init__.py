"""Plans, API key format and addresses: pure functions and values."""
