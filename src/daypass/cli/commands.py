"""The `daypass` command."""

import asyncio
import os
import sys
from typing import Annotated, Any

import typer

from daypass import __version__
from daypass.cli.accounts import accounts_app, with_enforcer
from daypass.cli.aws import aws_app
from daypass.cli.backup import backup, restore
from daypass.cli.clock import clock_app
from daypass.cli.init import init
from daypass.cli.keys import keys_app
from daypass.cli.output import AsJson, fail, print_json, print_rows
from daypass.cli.serve import serve
from daypass.cli.setup import setup_link
from daypass.cli.tokens import tokens_app
from daypass.cli.usage import usage
from daypass.config.settings import SettingsError, load_settings
from daypass.domain.plans import UsagePlan
from daypass.enforcement.base import Enforcer, EnforcerError
from daypass.quota.ledger import LedgerUnavailableError
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.schema import NoDatabaseError

app = typer.Typer(no_args_is_help=True)
plans_app = typer.Typer(help="Usage plans.", no_args_is_help=True)
app.add_typer(plans_app, name="plans")
app.add_typer(keys_app, name="keys")
app.add_typer(accounts_app, name="accounts")
app.add_typer(aws_app, name="aws")
app.add_typer(clock_app, name="clock")
app.add_typer(tokens_app, name="tokens")
app.command()(serve)
app.command("setup-link")(setup_link)
app.command()(init)
app.command()(usage)
app.command()(backup)
app.command()(restore)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"daypass {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Self-service API keys with daily limits."""


def main() -> None:
    """Run the command. Expected errors print one line and exit with code 2."""
    os.umask(0o077)  # Files are readable by their owner only.
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        if not error.format_message():  # Without a command, the help has been printed.
            sys.exit(2)
        fail(error.format_message())
    except typer.Abort as error:
        if isinstance(error.__context__, EOFError):
            fail("there is nobody to answer: confirm with --yes")
        fail("interrupted", code=130)
    except EnforcerError as error:
        fail(error.reason)
    except (SettingsError, DatabaseUnavailableError, LedgerUnavailableError) as error:
        fail(str(error))
    except OSError as error:
        if error.filename is None:
            raise
        fail(f"{error.filename}: {error.strerror}")
    sys.exit(code)


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    from daypass.app.startup import prepare  # noqa: PLC0415  (slow to import)

    asyncio.run(prepare(load_settings()))
    typer.echo("The database is up to date.")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check settings, database and upstream, and say what to do."""
    from daypass.cli.doctor import examine  # noqa: PLC0415

    findings = asyncio.run(examine())
    if as_json:
        print_json([finding._asdict() for finding in findings])
    for finding in findings if not as_json else ():
        mark = "ok  " if finding.ok else "FAIL"
        typer.echo(f"{mark} {finding.what}: {finding.found}")
        if finding.advice:
            typer.echo(f"     {finding.advice}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@plans_app.command("list")
def list_plans(as_json: AsJson = False) -> None:
    """List the usage plans, including those made on the site."""

    async def query(_database: Database, enforcer: Enforcer) -> list[UsagePlan]:
        return list((await enforcer.policy()).plans.values())

    settings = load_settings()
    try:
        plans = with_enforcer(settings, query)
    except NoDatabaseError:
        plans = list(settings.usage_plans)
    print_rows([_plan_row(plan) for plan in plans], as_json)


def _plan_row(plan: UsagePlan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan.name,
        "limits": plan.limits,
        "max_output_tokens": plan.max_output_tokens,
        "max_concurrent_requests": plan.max_concurrent_requests,
        "max_key_days": plan.max_key_days,
        "models": sorted(plan.models),
        "self_service": plan.self_service,
    }
