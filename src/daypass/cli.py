"""The `daypass` command."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from daypass.api_keys import mint
from daypass.plans import UsagePlan
from daypass.quota.ledger import LedgerUnavailableError
from daypass.records import accounts, api_keys
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.schema import upgrade
from daypass.settings import Settings, SettingsError, load_settings

app = typer.Typer(help="Self-service API keys with daily limits.", no_args_is_help=True)
plans_app = typer.Typer(help="Usage plans.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys.", no_args_is_help=True)
accounts_app = typer.Typer(help="Accounts.", no_args_is_help=True)
app.add_typer(plans_app, name="plans")
app.add_typer(keys_app, name="keys")
app.add_typer(accounts_app, name="accounts")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]
Result = TypeVar("Result")


def main() -> None:
    """Run the command. What stops it is told in one line, with exit code 2."""
    os.umask(0o077)  # Whatever is written is for the owner alone.
    try:
        app()
    except (SettingsError, DatabaseUnavailableError, LedgerUnavailableError) as error:
        _fail(str(error), code=2)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that share the port.", min=1)] = 1,
) -> None:
    """Serve the site, the portal and the gateway."""
    import uvicorn  # noqa: PLC0415  (the other commands start without it)

    from daypass.app import rehearse  # noqa: PLC0415
    from daypass.metrics import forget as forget_metrics  # noqa: PLC0415
    from daypass.server.protocol import HttpProtocol  # noqa: PLC0415

    settings = load_settings()
    asyncio.run(rehearse(settings))
    forget_metrics(settings.metrics_dir)
    address = f"[{host}]" if ":" in host else host
    typer.echo(f"Daypass: {settings.public_url or f'http://{address}:{port}'}", err=True)
    typer.echo(f"Upstream: {_upstream_name(settings)}", err=True)
    uvicorn.run(
        "daypass.app:create_app",
        factory=True,
        interface="asgi3",
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=30,
    )


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    asyncio.run(upgrade(load_settings().database_address))
    typer.echo("The database is up to date.")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check settings, database and upstream, and say what to do."""
    from daypass.doctor import examine  # noqa: PLC0415

    findings = asyncio.run(examine())
    if as_json:
        _print_json([finding._asdict() for finding in findings])
    for finding in findings if not as_json else ():
        mark = "ok  " if finding.ok else "FAIL"
        typer.echo(f"{mark} {finding.what}: {finding.found}")
        if finding.advice:
            typer.echo(f"     {finding.advice}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@plans_app.command("list")
def list_plans(as_json: AsJson = False) -> None:
    """List the usage plans."""
    rows = [_plan_row(plan) for plan in load_settings().usage_plans]
    _print_rows(rows, as_json)


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
                "created_at": _iso(key.created_at),
                "last_used_at": _iso(key.last_used_at),
            }
            for key, email in found
        ]

    _print_rows(_with_database(load_settings(), query), as_json)


@keys_app.command("create")
def create_key(
    email: Email,
    plan: Annotated[str, typer.Option(help="Id of the usage plan.")],
    name: Annotated[str, typer.Option(help="Name of the key.")] = "from the command line",
    as_json: AsJson = False,
) -> None:
    """Create an API key for an account. Its secret is printed once."""
    settings = load_settings()
    if plan not in {known.id for known in settings.usage_plans}:
        _fail(f"there is no usage plan {plan}; see 'daypass plans list'")

    async def create(database: Database) -> dict[str, Any]:
        minted = mint()
        async with database.write() as session:
            account = await accounts.find_by_email(session, email)
            if account is None:
                raise typer.BadParameter(f"there is no account {email}")
            key = await api_keys.create(
                session,
                account.id,
                minted,
                name=name,
                usage_plan_id=plan,
                max_keys=settings.max_keys_per_account,
                now=int(time.time()),
            )
        return {"id": key.id, "usage_plan_id": plan, "name": name, "key": minted.secret}

    try:
        _print_rows([_with_database(settings, create)], as_json)
    except api_keys.TooManyKeysError:
        _fail(f"{email} has {settings.max_keys_per_account} API keys, as many as an account may")


@keys_app.command("revoke")
def revoke_key(api_key_id: Annotated[str, typer.Argument(help="Id of the API key.")]) -> None:
    """Revoke an API key. It is refused everywhere within a second."""

    async def revoke(database: Database) -> bool:
        async with database.write() as session:
            key = await api_keys.find_any(session, api_key_id)
            if key is not None:
                await api_keys.remove(session, key, int(time.time()))
        return key is not None

    if not _with_database(load_settings(), revoke):
        _fail(f"there is no API key {api_key_id}; see 'daypass keys list'")
    typer.echo(f"{api_key_id} is revoked.")


@accounts_app.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """List the accounts."""

    async def query(database: Database) -> list[dict[str, Any]]:
        async with database.read() as session:
            found = await accounts.list_all(session)
        return [
            {
                "id": account.id,
                "email": account.email,
                "role": account.role,
                "created_at": _iso(account.created_at),
                "disabled_at": _iso(account.disabled_at),
            }
            for account in found
        ]

    _print_rows(_with_database(load_settings(), query), as_json)


@accounts_app.command("promote")
def promote_account(email: Email) -> None:
    """Make an account an operator."""
    _change_account(email, lambda session: accounts.set_role(session, email, accounts.OPERATOR))
    typer.echo(f"{email} is an operator.")


@accounts_app.command("disable")
def disable_account(
    email: Email, undo: Annotated[bool, typer.Option(help="Enable it again.")] = False
) -> None:
    """Disable an account: its keys and sessions are refused within a second."""
    at = None if undo else int(time.time())
    _change_account(email, lambda session: accounts.set_disabled(session, email, at))
    typer.echo(f"{email} is {'enabled' if undo else 'disabled'}.")


def _change_account(email: str, change: Callable[[Any], Awaitable[bool]]) -> None:
    async def apply(database: Database) -> bool:
        async with database.write() as session:
            return await change(session)

    if not _with_database(load_settings(), apply):
        _fail(f"there is no account {email}; see 'daypass accounts list'")


def _with_database(settings: Settings, work: Callable[[Database], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        await upgrade(settings.database_address)
        database = Database(settings.database_address)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _upstream_name(settings: Settings) -> str:
    if settings.uses_demo_model:
        return "the demo model (set OPENAI_API_KEY for real answers)"
    return settings.upstream_base_url


def _plan_row(plan: UsagePlan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan.name,
        "limits": ", ".join(str(limit) for limit in plan.limits),
        "models": ", ".join(sorted(plan.models)) or "all",
        "self_service": plan.self_service,
    }


def _iso(at: int | None) -> str | None:
    return None if at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _print_rows(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        _print_json(rows)
        return
    if not rows:
        typer.echo("none")
        return
    table = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _fail(message: str, code: int = 1) -> None:
    typer.echo(f"daypass: {message}", err=True)
    sys.exit(code)
