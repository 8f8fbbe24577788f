"""The `daypass` command."""
