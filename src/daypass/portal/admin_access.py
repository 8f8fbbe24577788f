"""What an admin token may do, and the check of a request that carries one.

`Authorization: Bearer dpa_…` (RFC 6750) takes the place of an operator's session on every
`/api/operator/*` route. Browsers never send it by themselves, so it needs no check of the origin.
"""

from fastapi import Request

from daypass.domain.key_format import ADMIN_PREFIX, is_well_formed
from daypass.domain.key_format import PREFIX as KEY_PREFIX
from daypass.portal.problems import ProblemError, too_many_attempts
from daypass.records import accounts, admin_tokens, throttles
from daypass.records.admin_tokens import Scope, TokenRow
from daypass.records.audit import Actor
from daypass.records.database import Database
from daypass.records.tables import Account
from daypass.records.throttles import Throttle, ThrottledError

WRITE_SCOPES: dict[str, Scope | None] = {
    "people": "people",
    "invitations": "people",
    "mails": "people",
    "api-keys": "keys",
    "leaked-keys": "keys",
    "usage-plans": "plans",
    "settings": None,
    "logo": None,
    "upstreams": None,
    "tokens": None,
}
"""The scope that changes to a noun of `/api/operator/{noun}` need; None: a signed-in operator.

docs/admin-api.md explains the table. A noun that is missing here needs a signed-in operator too.
"""

WRONG_TOKENS = Throttle(60, 20)
"""Wrong tokens from one IP address."""

_ENDED = {
    "revoked": "This admin token has been revoked. Ask an operator for a new one.",
    "expired": "This admin token has expired. Ask an operator for a new one.",
}
OPERATORS_ACCOUNT = "change an operator's account"
_READS = ("GET", "HEAD", "OPTIONS")
_PATH_PREFIX = "/api/operator/"


def bearer_token(request: Request) -> str | None:
    """Return the token of a Bearer header, or None without one. Raises 401 for several headers."""
    headers = request.headers.getlist("authorization")
    bearers = [x for x in headers if x.partition(" ")[0].lower() == "bearer"]
    if not bearers:
        return None
    if len(headers) > 1:
        raise _unauthorised("Send one Authorization header only.")
    return bearers[0].partition(" ")[2].strip()


def refuse_token_in_query(request: Request) -> None:
    """Raise 400 if the address contains an admin token: addresses are logged (RFC 6750, 5.3)."""
    if any(is_well_formed(value, ADMIN_PREFIX) for value in request.query_params.values()):
        raise ProblemError(
            400,
            "The address of this request contains an admin token. Addresses are logged and kept: "
            "revoke this token, and send its successor as 'Authorization: Bearer dpa_…'.",
        )


async def authenticate(
    request: Request, database: Database, token: str, network: str, now_ms: int
) -> Actor:
    """Return the operator on whose behalf a request with this admin token acts.

    `network` is the client's, for the throttle of guesses. Raises 401 if the token is wrong, 403
    if it lacks the scope, and 429 after too many wrong tokens.
    """
    now = now_ms // 1000
    row = None
    if is_well_formed(token, ADMIN_PREFIX):
        async with database.read() as session:
            row = await admin_tokens.find(session, token)
    if row is None:
        await _count_wrong_token(database, network, now_ms)
        raise _unauthorised(_why_wrong(token))
    if (state := admin_tokens.state(row.token, now)) != "active":
        raise _unauthorised(_ENDED[state])
    await _check_scope(request, database, row)
    used_at = row.token.last_used_at
    if used_at is None or used_at <= now - admin_tokens.NOTE_USE_EVERY_S:
        async with database.write() as session:
            await admin_tokens.note_use(session, row.token.id, now)
    return Actor(row.operator.id, row.operator.email, row.token.id, row.token.name)


def require_person(actor: Actor, what: str) -> None:
    """Raise 403 if the actor is a program with a token: it could give itself more rights."""
    if actor.token_id is not None:
        raise _not_by_token(what)


def require_person_for(actor: Actor, account: Account) -> None:
    """Raise 403 if the actor is a program with a token, and the account is an operator's."""
    if account.role == accounts.OPERATOR:
        require_person(actor, OPERATORS_ACCOUNT)


async def _check_scope(request: Request, database: Database, row: TokenRow) -> None:
    held = row.token.scopes.split()
    if request.method in _READS:
        if "read" not in held:
            raise _missing_scope("read")
        return
    noun = request.scope["path"].removeprefix(_PATH_PREFIX).partition("/")[0]
    needed = WRITE_SCOPES.get(noun)
    if needed is None:
        raise _not_by_token("do this")
    if needed not in held:
        raise _missing_scope(needed)
    await _check_not_operator(request, database)


async def _check_not_operator(request: Request, database: Database) -> None:
    """Raise 403 if the request would change an operator's account.

    Otherwise the scope `people` would include taking an operator's account over. Routes that name
    accounts elsewhere than in their path call `require_person_for` themselves.
    """
    account_id = request.path_params.get("account_id")
    if account_id is None:
        return
    async with database.read() as session:
        account = await accounts.find(session, account_id)
    if account is not None and account.role == accounts.OPERATOR:
        raise _not_by_token(OPERATORS_ACCOUNT)


async def _count_wrong_token(database: Database, network: str, now_ms: int) -> None:
    units = {f"admin token address {network}": WRONG_TOKENS}
    try:
        # A flood is refused without a write.
        async with database.read() as session:
            await throttles.check(session, units, now_ms)
        async with database.write() as session:
            await throttles.take(session, units, now_ms)
    except ThrottledError as error:
        raise too_many_attempts(error.wait_ms) from None


def _why_wrong(token: str) -> str:
    if token.startswith(KEY_PREFIX):
        return "This is an API key, for /v1. This path needs an admin token (dpa_…)."
    if not is_well_formed(token, ADMIN_PREFIX):
        return "This is not an admin token: one begins with dpa_. Check that it is complete."
    return (
        "This admin token is not valid: it has been deleted, or whoever created it is no longer an "
        "operator."
    )


def _unauthorised(detail: str) -> ProblemError:
    return ProblemError(
        401, detail, headers={"www-authenticate": 'Bearer realm="daypass", error="invalid_token"'}
    )


def _not_by_token(what: str) -> ProblemError:
    return ProblemError(403, f"An admin token cannot {what}. Sign in as an operator to do so.")


def _missing_scope(scope: Scope) -> ProblemError:
    challenge = f'Bearer realm="daypass", error="insufficient_scope", scope="{scope}"'
    return ProblemError(
        403,
        f"This admin token does not have the scope '{scope}', which this request needs.",
        headers={"www-authenticate": challenge},
    )
