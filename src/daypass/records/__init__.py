"""The database: who has an account, which keys exist, what was used."""
