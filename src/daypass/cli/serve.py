"""`daypass serve`."""

import asyncio
import contextlib
import fcntl
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import structlog
import typer

from daypass import __version__
from daypass.cli.output import fail
from daypass.cli.setup import Host, Port, link_of_new_site, site_address
from daypass.config.settings import Settings, SettingsError, load_settings
from daypass.enforcement.base import EnforcerError
from daypass.http.types import Application
from daypass.quota.ledger import LedgerUnavailableError
from daypass.records import upstreams
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.schema import with_database

if TYPE_CHECKING:
    from daypass.http.server import Server, Site

log = structlog.get_logger()

EXPECTED_ERRORS = (
    SettingsError,
    DatabaseUnavailableError,
    LedgerUnavailableError,
    EnforcerError,
)
"""Errors that an operator can correct. Their messages are one line."""


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(help="Processes that share the port.", min=1)] = 1,
    join: Annotated[
        bool, typer.Option(help="Serve beside another server on the same data directory.")
    ] = False,
) -> None:
    """Serve the site, the portal and the gateway."""
    from daypass.http.listener import ListenError, listen  # noqa: PLC0415
    from daypass.observability.logging import configure_logging  # noqa: PLC0415
    from daypass.observability.metrics import delete_files as delete_metrics  # noqa: PLC0415  (slow to import)

    missed_signals: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _: missed_signals.append(number))
    settings = asyncio.run(_check())
    with _data_directory(settings.data_dir) as is_alone:
        if not is_alone and not join:
            fail(
                f"another server uses {settings.data_dir}: set DAYPASS_DATA_DIR, or use --join to "
                "serve beside it"
            )
        if is_alone:
            delete_metrics(settings.metrics_dir)
        try:
            sockets = listen(host, port)
        except ListenError as error:
            fail(str(error))
        configure_logging(settings.log_format)
        _announce(settings, host, sockets[0].getsockname()[1], workers)
        try:
            if workers == 1:
                server = _make_server(settings)
                server.missed_signals = missed_signals
                server.run(sockets)
            else:
                from daypass.http.workers import Workers  # noqa: PLC0415

                asyncio.run(Workers(workers, partial(_make_server, settings), sockets).run())
        finally:
            log.info("stopped")


def _announce(settings: Settings, host: str, port: int, workers: int) -> None:
    """Print the site's address once it is bound, as text or as JSON like the log."""
    from daypass.app.startup import sharing_warning  # noqa: PLC0415  (slow to import)

    url = site_address(settings, host, port)
    warning = sharing_warning(settings.data_dir)
    link = link_of_new_site(settings, host, port)
    log.info("started", version=__version__, url=url, workers=workers)
    if settings.log_format == "json":
        if warning is not None:
            log.warning("data_directory_shared", reason=warning)
        if link is not None:
            log.warning("no_operator", setup_link=link)
        return
    typer.echo(f"Daypass: {url}", err=True)
    typer.echo(f"Upstream: {_upstream_names(settings)}", err=True)
    if warning is not None:
        typer.echo(f"Warning: {warning}", err=True)
    if link is not None:
        typer.echo(f"No operator yet. Create the operator account, once, at {link}", err=True)


async def _check() -> Settings:
    """Return the settings if the server can start with them. Raises one of EXPECTED_ERRORS."""
    from daypass.app.startup import check_startup  # noqa: PLC0415

    settings = load_settings()
    await check_startup(settings)
    return settings


@contextlib.contextmanager
def _data_directory(directory: Path) -> Iterator[bool]:
    """Mark a directory as used by this server, and yield whether no other server uses it.

    The mark is a lock, which the operating system releases when the process ends.
    """
    with (directory / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            is_alone = False
        else:
            is_alone = True
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield is_alone


def _make_server(settings: Settings) -> "Server":
    """Create a server from the current settings, or from these if the current ones are invalid."""
    from daypass.app.startup import check_settings  # noqa: PLC0415  (slow to import)
    from daypass.http.server import Server  # noqa: PLC0415  (slow to import)
    from daypass.observability.logging import configure_logging  # noqa: PLC0415

    try:
        current = load_settings()
        check_settings(current)
        settings = current
    except SettingsError as error:
        configure_logging(settings.log_format)
        log.error("reload_refused", reason=str(error))
    return Server(_make_site(settings), _load_site, EXPECTED_ERRORS)


async def _load_site() -> "Site":
    return await asyncio.to_thread(_make_site, await _check())


def _make_site(settings: Settings) -> "Site":
    from daypass.app.factory import create_app  # noqa: PLC0415  (slow to import)
    from daypass.http.server import Site  # noqa: PLC0415

    application = cast(Application, create_app(settings))
    return Site(application, settings.keep_alive_s, settings.shutdown_grace_s)


def _upstream_names(settings: Settings) -> str:
    """Return the addresses of all upstreams, or a hint at how to get one."""
    addresses = [x.base_url for x in settings.configured_upstreams]

    async def made_on_site(database: Database) -> list[str]:
        async with database.read() as session:
            return [str(row.terms.get("base_url")) for row in await upstreams.rows(session)]

    if not settings.demo:
        addresses += with_database(settings.database_address, made_on_site)
    hint = "the demo model (connect an upstream on the site, or set OPENAI_API_KEY)"
    return ", ".join(addresses) or hint
