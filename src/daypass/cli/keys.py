"""`daypass keys`: list, create and revoke API keys."""

import sys
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.cli.accounts import Email, with_enforcer
from daypass.cli.output import AsJson, fail, iso, print_json, print_rows
from daypass.config.settings import load_settings
from daypass.domain.key_format import find_keys
from daypass.enforcement.base import Enforcer
from daypass.enforcement.leaked_keys import revoke_leaked
from daypass.records import accounts, api_keys
from daypass.records.database import Database
from daypass.records.schema import with_database

keys_app = typer.Typer(help="API keys.", no_args_is_help=True)


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
                "expires_at": iso(key.expires_at),
                "paused_at": iso(key.paused_at),
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
def revoke_key(
    api_key_id: Annotated[str, typer.Argument(help="Id of the API key.")] = "",
    leaked: Annotated[
        bool,
        typer.Option(
            "--leaked", help="Read a text from standard input, and revoke all keys in it."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Revoke an API key, or keys found in public. They are rejected everywhere within a second."""
    if leaked == bool(api_key_id):
        fail("give the id of one API key, or --leaked and a text with keys on standard input")
    if leaked:
        _revoke_leaked(as_json)
        return

    async def revoke(database: Database, enforcer: Enforcer) -> bool:
        async with database.read() as session:
            key = await api_keys.find_any(session, api_key_id)
        if key is not None:
            await enforcer.delete_keys([key])
        return key is not None

    if not with_enforcer(load_settings(), revoke):
        fail(f"there is no API key {api_key_id}; see 'daypass keys list'")
    if as_json:
        print_json([{"id": api_key_id}])
    else:
        typer.echo(f"{api_key_id} is revoked.")


def _revoke_leaked(as_json: bool) -> None:
    # Standard input, because other users of the machine can read arguments.
    secrets = find_keys(sys.stdin.buffer.read().decode(errors="replace"))

    async def revoke(database: Database, enforcer: Enforcer) -> list[dict[str, Any]]:
        revoked = await revoke_leaked(enforcer, database, secrets, _record_nothing)
        return [
            {
                "id": owner.key.id,
                "account": owner.email,
                "key": f"{owner.key.prefix}…{owner.key.last4}",
                "deleted": owner.is_current,
            }
            for owner in revoked
        ]

    print_rows(with_enforcer(load_settings(), revoke), as_json)


async def _record_nothing(_session: AsyncSession, _owner: api_keys.SecretOwner) -> None:
    """Write no audit entry: the command has no signed-in operator."""
