"""The link that creates a site's first operator, for `daypass setup-link` and `serve`."""

import asyncio
import time
from typing import Annotated

import typer

from daypass.cli.output import AsJson, fail, print_json
from daypass.config.settings import Settings, load_settings
from daypass.records import operators
from daypass.records.database import Database
from daypass.records.schema import with_database

HAS_OPERATOR = "there is an operator already; see 'daypass accounts list' and 'accounts promote'"

_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104

Host = Annotated[str, typer.Option(help="Address that the site listens on.")]
Port = Annotated[int, typer.Option(help="Port that the site listens on.", min=0, max=65535)]


def setup_link(host: Host = "127.0.0.1", port: Port = 8000, as_json: AsJson = False) -> None:
    """Print a link that creates the first operator. It works once; earlier links stay valid."""
    from daypass.app.startup import prepare  # noqa: PLC0415  (slow to import)

    settings = load_settings()
    asyncio.run(prepare(settings))

    async def create(database: Database) -> str:
        async with database.write() as session:
            await operators.lock(session)
            if await operators.has_active(session):
                fail(HAS_OPERATOR)
            return await operators.create_setup_token(session, int(time.time()))

    token = with_database(settings.database_address, create)
    link = _link(site_address(settings, host, port), token)
    if as_json:
        print_json({"url": link})
    else:
        typer.echo(link)


def link_of_new_site(settings: Settings, host: str, port: int) -> str | None:
    """Return a set-up link for a site that never had an operator; None for any other.

    If all operators are disabled, only the command returns a link.
    """

    async def create(database: Database) -> str | None:
        async with database.write() as session:
            await operators.lock(session)
            if await operators.has_any(session):
                return None
            return await operators.create_setup_token(session, int(time.time()))

    token = with_database(settings.database_address, create)
    return token and _link(site_address(settings, host, port), token)


def site_address(settings: Settings, host: str, port: int) -> str:
    """Return the site's address: `DAYPASS_PUBLIC_URL`, else the one it listens on.

    For a wildcard address, return the loopback address: not every browser opens
    a wildcard.
    """
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = _LOOPBACK_OF.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _link(site: str, token: str) -> str:
    return f"{site}/setup/#{token}"
