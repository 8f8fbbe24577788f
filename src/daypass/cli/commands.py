"""The `daypass` command."""

import asyncio
import os
import sys
from typing import Annotated, Any

import typer

from daypass import __version__
from daypass.cli.accounts import Email, accounts_app, with_enforcer
from daypass.cli.aws import aws_app
from daypass.cli.clock import clock_app
from daypass.cli.output import AsJson, fail, iso, print_json, print_rows
from daypass.cli.serve import serve
from daypass.cli.setup import setup_link
from daypass.config.settings import SettingsError, load_settings
from daypass.domain.plans import UsagePlan
from daypass.enforcement.base import Enforcer, EnforcerError
from daypass.quota.ledger import LedgerUnavailableError
from daypass.records import accounts, api_keys
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.schema import NoDatabaseError, upgrade, with_database

app = typer.Typer(no_args_is_help=True)
plans_app = typer.Typer(help="Usage plans.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys.", no_args_is_help=True)
app.add_typer(plans_app, name="plans")
app.add_typer(keys_app, name="keys")
app.add_typer(accounts_app, name="accounts")
app.add_typer(aws_app, name="aws")
app.add_typer(clock_app, name="clock")
app.command()(serve)
app.command("setup-link")(setup_link)


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
    asyncio.run(upgrade(load_settings().database_address))
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


@keys_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List every API key, without its secret."""

    async def query(database: Database) -> list[dict[str, Any]]:
        async with database.read() as session:
            found = await api_keys.list_all(session)
        return [
            {
                "id": key.id,
                "account": email,
                "name": key.name,
                "usage_plan_id": key.usage_plan_id,
                "key": f"{key.prefix}…{key.last4}",
                "created_at": iso(key.created_at),
                "last_used_at": iso(key.last_used_at),
            }
            for key, email in found
        ]

    print_rows(with_database(load_settings().database_address, query), as_json)


@keys_app.command("create")
def create_key(
    email: Email,
    plan: Annotated[str, typer.Option(help="Id of the usage plan.")],
    name: Annotated[str, typer.Option(help="Name of the key.")] = "from the command line",
    as_json: AsJson = False,
) -> None:
    """Create an API key for an account. Its secret is printed once."""
    settings = load_settings()

    async def create(database: Database, enforcer: Enforcer) -> dict[str, Any]:
        plans = (await enforcer.policy()).plans
        if plan not in plans:
            fail(f"there is no usage plan {plan}; see 'daypass plans list'")
        async with database.read() as session:
            account = await accounts.find_by_email(session, email)
        if account is None:
            fail(f"there is no account {email}; see 'daypass accounts list'")
        issued = await enforcer.create_key(account.id, name, plans[plan])
        return {"id": issued.key.id, "usage_plan_id": plan, "name": name, "key": issued.secret}

    try:
        print_rows([with_enforcer(settings, create)], as_json)
    except api_keys.TooManyKeysError as error:
        fail(f"{email} has {error.most} API keys, as many as an account may")


@keys_app.command("revoke")
def revoke_key(api_key_id: Annotated[str, typer.Argument(help="Id of the API key.")]) -> None:
    """Revoke an API key. It is rejected everywhere within a second."""

    async def revoke(database: Database, enforcer: Enforcer) -> bool:
        async with database.read() as session:
            key = await api_keys.find_any(session, api_key_id)
        if key is not None:
            await enforcer.delete_keys([key])
        return key is not None

    if not with_enforcer(load_settings(), revoke):
        fail(f"there is no API key {api_key_id}; see 'daypass keys list'")
    typer.echo(f"{api_key_id} is revoked.")


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
