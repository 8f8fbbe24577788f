"""`daypass accounts`: list, promote, disable and delete people."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.cli.output import AsJson, fail, iso, print_rows
from daypass.config.secret_key import secret_keys
from daypass.config.settings import Settings, load_settings
from daypass.enforcement.base import Enforcer
from daypass.records import accounts, api_keys, departures, operators
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
) -> None:
    """Delete a person with everything but totals. Their keys are rejected within a second."""
    settings = load_settings()

    async def remove(database: Database, enforcer: Enforcer) -> bool:
        (secret, *_) = secret_keys(settings)
        async with database.read() as session:
            account = await accounts.find_by_email(session, email)
            if account is None:
                return False
            if await operators.is_last(session, account):
                fail(f"{email} is the last operator: promote another account first")
            keys = await api_keys.list_of(session, account.id)

        async def depart(session: AsyncSession) -> None:
            await operators.lock(session)
            await departures.remove(session, account, secret, int(time.time()))

        await enforcer.delete_keys(keys, depart)
        await database.empty_log()
        return True

    if not yes and not typer.confirm(f"Delete {email} with all keys and usage?"):
        return
    if not with_enforcer(settings, remove):
        fail(f"there is no account {email}; see 'daypass accounts list'")
    typer.echo(f"{email} is deleted.")


def _change_account(email: str, change: Callable[[AsyncSession, Account], Awaitable[None]]) -> None:
    async def apply(database: Database) -> bool:
        async with database.write() as session:
            await operators.lock(session)
            account = await accounts.find_by_email(session, email)
            if account is not None:
                await change(session, account)
            if await operators.has_active(session):
                await operators.void_setup_tokens(session)
            return account is not None

    if not with_database(load_settings().database_address, apply):
        fail(f"there is no account {email}; see 'daypass accounts list'")
