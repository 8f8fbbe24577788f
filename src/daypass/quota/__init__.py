"""The quota ledger: reserve, settle, release. Knows no HTTP and no OpenAI."""
