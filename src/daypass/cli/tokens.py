"""`daypass tokens`: create, list and revoke admin tokens."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from daypass.cli.output import AsJson, fail, iso, print_json, print_rows
from daypass.config.settings import load_settings
from daypass.domain.emails import normalise
from daypass.domain.times import DAY_S
from daypass.records import admin_tokens, audit, operators
from daypass.records.admin_tokens import SCOPES, TokenRow
from daypass.records.database import Database
from daypass.records.schema import with_database
from daypass.records.tables import Account

MAX_DAYS = 366
MAX_NAME = 80

tokens_app = typer.Typer(help="Admin tokens.", no_args_is_help=True)


@tokens_app.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    scope: Annotated[
        list[str], typer.Option(help=f"What it may do; repeatable: {', '.join(SCOPES)}.")
    ],
    days: Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="Days until it expires.")] = 90,
    operator: Annotated[
        str | None,
        typer.Option(help="The operator on whose behalf it acts, if there are several."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create an admin token and print it. It is shown only this once."""
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        fail(f"there is no scope {unknown[0]}; the scopes are {', '.join(SCOPES)}")
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        fail(f"the name must have 1 to {MAX_NAME} printable characters")
    now = int(time.time())

    async def create(database: Database) -> tuple[TokenRow, str]:
        async with database.write() as session:
            await operators.lock(session)
            account = _choose(await operators.list_active(session), operator)
            token, secret = await admin_tokens.create(
                session,
                account.id,
                name=name.strip(),
                scopes=set(scope),
                now=now,
                expires_at=now + days * DAY_S,
            )
            subject = f"{token.name} ({token.id})"
            audit.add(
                session, account, "token created", subject, now=now,
                detail=f"{token.scopes}; by the daypass command",
            )  # fmt: skip
        return TokenRow(token, account), secret

    row, secret = with_database(load_settings().database_address, create)
    if as_json:
        print_json(_facts(row, now) | {"token": secret})
    else:
        typer.echo(secret)


@tokens_app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the admin tokens, newest first."""
    now = int(time.time())

    async def query(database: Database) -> list[dict[str, Any]]:
        async with database.read() as session:
            return [_facts(row, now) for row in await admin_tokens.list_all(session)]

    print_rows(with_database(load_settings().database_address, query), as_json)


@tokens_app.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="The token's id; see 'daypass tokens list'.")],
) -> None:
    """Revoke an admin token. It is refused from now on."""
    now = int(time.time())

    async def revoke(database: Database) -> bool:
        async with database.write() as session:
            token = await admin_tokens.revoke(session, token_id, now)
            if token is None:
                return False
            account = await session.get_one(Account, token.created_by)
            subject = f"{token.name} ({token.id})"
            detail = "by the daypass command"
            audit.add(session, account, "token revoked", subject, now=now, detail=detail)
        return True

    if not with_database(load_settings().database_address, revoke):
        fail(f"there is no valid token {token_id}; see 'daypass tokens list'")
    typer.echo(f"{token_id} is revoked.")


def _choose(found: Sequence[Account], email: str | None) -> Account:
    chosen = [x for x in found if email is None or x.email == normalise(email)]
    if not chosen:
        whom = f"operator {email}" if email else "operator"
        fail(f"the site has no active {whom}; see 'daypass accounts list'")
    if len(chosen) > 1:
        fail("the site has several operators: choose one with --operator EMAIL")
    return chosen[0]


def _facts(row: TokenRow, now: int) -> dict[str, Any]:
    token = row.token
    return {
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes.split(),
        "created_by": row.operator.email,
        "created_at": iso(token.created_at),
        "expires_at": iso(token.expires_at),
        "last_used_at": iso(token.last_used_at),
        "revoked_at": iso(token.revoked_at),
        "state": admin_tokens.state(token, now),
    }
