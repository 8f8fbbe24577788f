"""Who enforces the limits: our own ledger (`embedded`) or API Gateway (`aws`)."""
