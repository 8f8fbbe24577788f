"""`daypass accounts`: list, promote, disable, delete, and reset passwords."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.cli.output import AsJson, fail, iso, print_json, print_rows
from daypass.cli.setup import Host, Port, site_address
from daypass.config.secret_key import secret_keys
from daypass.config.settings import Settings, load_settings
from daypass.enforcement.base import Enforcer
from daypass.records import accounts, api_keys, audit, departures, operators, outbox
from daypass.records.database import Database
from daypass.records.schema import with_database
from daypass.records.tables import Account

accounts_app = typer.Typer(help="Accounts.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]
Result = TypeVar("Result")


def with_enforcer(
    settings: Settings, work: Callable[[Database, Enforcer], Awaitable[Result]]
) -> Result:
    """Run a command's work with the database and the enforcer. Raises EnforcerError."""
    from daypass.app.enforcement import open_enforcer  # noqa: PLC0415  (slow to import)

    async def run(database: Database) -> Result:
        async with open_enforcer(settings, database, time.time) as enforcer:
            return await work(database, enforcer)

    return with_database(settings.database_address, run)


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
                "created_at": iso(account.created_at),
                "disabled_at": iso(account.disabled_at),
            }
            for account in found
        ]

    print_rows(with_database(load_settings().database_address, query), as_json)


@accounts_app.command("promote")
def promote_account(email: Email) -> None:
    """Make an account an operator. Its sessions end, so its owner signs in again."""
    _change_account(
        email, lambda session, account: accounts.set_role(session, account.id, accounts.OPERATOR)
    )
    typer.echo(f"{email} is an operator.")


@accounts_app.command("disable")
def disable_account(
    email: Email, undo: Annotated[bool, typer.Option(help="Enable it again.")] = False
) -> None:
    """Disable an account. Its sessions end, and its keys are rejected within a second."""
    at = None if undo else int(time.time())
    _change_account(email, lambda session, account: accounts.set_disabled(session, account.id, at))

    async def tell(database: Database, enforcer: Enforcer) -> None:
        async with database.read() as session:
            account = await accounts.find_by_email(session, email)
        if account is not None:
            await enforcer.set_account_enabled(account.id, undo)

    with_enforcer(load_settings(), tell)
    typer.echo(f"{email} is {'enabled' if undo else 'disabled'}.")


@accounts_app.command("delete")
def delete_account(
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a person with everything but totals. Their keys are rejected within a second."""
    settings = load_settings()

    async def remove(database: Database, enforcer: Enforcer) -> str:
        (secret, *_) = secret_keys(settings)
        async with database.read() as session:
            account = await _find(session, email)
            keys = await api_keys.list_of(session, account.id)

        async def depart(session: AsyncSession) -> None:
            await operators.lock(session)
            current = await _find(session, email)
            if await operators.is_last(session, current):
                fail(f"{email} is the last operator: promote another account first")
            now = int(time.time())
            audit.add_from_command(session, "account deleted", current.id, now=now)
            await session.flush()
            await departures.remove(session, current, secret, now)

        await enforcer.delete_keys(keys, depart)
        await database.empty_log()
        return account.id

    # Not on standard output, where --json prints.
    if not yes and not typer.confirm(f"Delete {email} with all keys and usage?", err=True):
        return
    account_id = with_enforcer(settings, remove)
    if as_json:
        print_json({"id": account_id, "email": email, "deleted": True})
    else:
        typer.echo(f"{email} is deleted.")


@accounts_app.command("reset-password")
def reset_password(
    email: Email, host: Host = "127.0.0.1", port: Port = 8000, as_json: AsJson = False
) -> None:
    """Print a link to hand over, with which a person chooses a new password. It works once."""
    from daypass.portal.password_resets import LINK_LIFETIME_S, link_to_hand_over  # noqa: PLC0415
    from daypass.portal.signer import Signer  # noqa: PLC0415  (FastAPI is slow to import)

    settings = load_settings()
    now = int(time.time())

    async def create(database: Database) -> Account:
        async with database.write() as session:
            account = await _find(session, email)
            if account.disabled_at is not None:
                fail(f"{email} is disabled: see 'daypass accounts disable --undo'")
            audit.add_from_command(session, "password reset link created", account.email, now=now)
            if settings.smtp_url is not None:
                await outbox.add(session, "reset-link", account.email, account.id, now)
        return account

    account = with_database(settings.database_address, create)
    site = site_address(settings, host, port)
    signer = Signer(secret_keys(settings), time.time)
    url = link_to_hand_over(site, signer, account, issuer=None)
    expires_at = now + LINK_LIFETIME_S
    if as_json:
        print_json({"url": url, "expires_at": iso(expires_at)})
    else:
        typer.echo(url)


async def _find(session: AsyncSession, email: str) -> Account:
    account = await accounts.find_by_email(session, email)
    if account is None:
        fail(f"there is no account {email}; see 'daypass accounts list'")
    return account


def _change_account(email: str, change: Callable[[AsyncSession, Account], Awaitable[None]]) -> None:
    async def apply(database: Database) -> None:
        async with database.write() as session:
            await operators.lock(session)
            await change(session, await _find(session, email))
            if await operators.has_active(session):
                await operators.void_setup_tokens(session)

    with_database(load_settings().database_address, apply)
