"""The control plane, /api/*: accounts, usage plans, API keys, usage, chat, and the site's pages."""
