"""/api/operator/upstreams: create, change and delete upstreams.

Those of the environment and `daypass.toml` are listed too, but can only be changed there. No
answer contains a key.
"""

from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
)
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.upstreams import Auth, UpstreamTerms
from daypass.observability.upstream_metrics import UpstreamNumbers
from daypass.portal.context import InPortal, Operator, Portal
from daypass.portal.idempotency import OperatorIdempotency
from daypass.portal.operator.upstream_checks import (
    KEY_FOR_ADDRESS,
    ApiKey,
    check_address,
    plain,
    sealer,
    terms_of,
    to_terms,
    unknown,
)
from daypass.portal.problems import ProblemError
from daypass.records import audit
from daypass.records import upstreams as stored
from daypass.records.tables import StoredUpstream
from daypass.upstreams.member import UpstreamConfig

MAX_UPSTREAMS = 50

router = APIRouter()


class NewUpstream(UpstreamTerms):
    """An upstream as an `[[upstreams]]` table of `daypass.toml` describes it."""

    api_key: ApiKey | None = None


class UpstreamChange(BaseModel):
    """The members to change. `api_key: null` removes the key; without it the key is kept."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    base_url: str | None = None
    api_key: ApiKey | None = None
    auth: Auth | None = None
    models: list[str] | None = None
    aliases: dict[str, str] | None = None
    weight: StrictInt | None = None
    priority: StrictInt | None = None
    measure_streams: StrictBool | None = None


class UpstreamHealth(BaseModel):
    """What the processes of this machine have seen of an upstream since they started."""

    state: Literal["closed", "open", "half_open"] = Field(
        description="The state of its circuit breaker that is furthest from closed"
    )
    requests: int
    failures: int
    last_failure: str | None


class UpstreamDescription(BaseModel):
    """An upstream as shown to operators. Those with `source` "settings" are set in `place`."""

    id: str
    name: str
    base_url: str
    auth: Auth
    models: list[str]
    aliases: dict[str, str]
    weight: int
    priority: int
    measure_streams: bool
    has_api_key: bool
    key_last4: str | None
    source: Literal["settings", "site"]
    place: str | None
    problem: str | None = Field(description="Why the upstream is off")
    health: UpstreamHealth


class UpstreamList(BaseModel):
    """Every upstream, the first one first."""

    upstreams: list[UpstreamDescription]


@router.get("/upstreams")
async def list_upstreams(_operator: Operator, portal: InPortal) -> UpstreamList:
    """List every upstream, also those that are off."""
    await portal.reload_upstreams()
    numbers = portal.upstream_numbers()
    return UpstreamList(upstreams=[_describe(x, portal, numbers) for x in portal.upstreams.configs])


@router.post("/upstreams", status_code=201)
async def create_upstream(
    new: NewUpstream, operator: Operator, portal: InPortal, repeat: OperatorIdempotency
) -> UpstreamDescription:
    """Create an upstream. Every process uses it within a second."""
    terms = to_terms(new.model_dump(exclude={"api_key"}))
    check_address(terms, portal)
    _check_name(terms.name, portal)
    try:
        async with portal.database.write() as session:
            if await stored.count(session) >= MAX_UPSTREAMS:
                message = f"A site has at most {MAX_UPSTREAMS} upstreams. Delete one first."
                raise ProblemError(409, message)
            key = plain(new.api_key)
            row = await stored.create(session, terms, key, sealer(portal), portal.now())
            audit.add(
                session,
                operator,
                "upstream created",
                terms.name,
                now=portal.now(),
                detail=terms.base_url,
            )
            config = UpstreamConfig(
                row.id,
                terms,
                "site",
                key_version=row.sealed_key or "",
                key_last4=row.key_last4,
            )
            created = _describe(config, portal, {})
            await repeat.keep(session, created)
    except stored.UpstreamNameTakenError:
        raise _taken(terms.name) from None
    await portal.reload_upstreams()
    return created


@router.patch("/upstreams/{upstream_id}")
async def change_upstream(
    upstream_id: str, change: UpstreamChange, operator: Operator, portal: InPortal
) -> UpstreamDescription:
    """Change an upstream. Requests in flight finish as they began."""
    _check_is_here(upstream_id, portal)
    changed = change.model_fields_set
    try:
        async with portal.database.write() as session:
            row = await _find(session, upstream_id)
            before = terms_of(row)
            names = changed - {"api_key"}
            terms = to_terms(before.model_dump() | change.model_dump(include=names))
            check_address(terms, portal)
            if terms.name != before.name:
                _check_name(terms.name, portal)
            is_elsewhere = terms.origin != before.origin
            if is_elsewhere and row.sealed_key and "api_key" not in changed:
                raise ProblemError(422, KEY_FOR_ADDRESS, field="api_key")
            row.name, row.terms = terms.name, stored.stored_terms(terms)
            if "api_key" in changed:
                stored.set_key(row, plain(change.api_key), sealer(portal))
            await stored.flush(session)
            detail = f"changed: {', '.join(sorted(changed))}" if changed else "nothing changed"
            audit.add(
                session, operator, "upstream changed", row.name, now=portal.now(), detail=detail
            )
    except stored.UpstreamNameTakenError:
        raise _taken(change.name or "") from None
    return await _current(portal, upstream_id)


@router.delete("/upstreams/{upstream_id}", status_code=204)
async def delete_upstream(upstream_id: str, operator: Operator, portal: InPortal) -> None:
    """Delete an upstream. Requests in flight finish."""
    _check_is_here(upstream_id, portal)
    async with portal.database.write() as session:
        row = await _find(session, upstream_id)
        await session.delete(row)
        audit.add(session, operator, "upstream deleted", row.name, now=portal.now())
    await portal.reload_upstreams()


async def _current(portal: Portal, upstream_id: str) -> UpstreamDescription:
    """Put a change into effect here, and return the changed upstream."""
    await portal.reload_upstreams()
    config = next((x for x in portal.upstreams.configs if x.id == upstream_id), None)
    if config is None:  # It has been deleted meanwhile, or the demo model is used on request.
        raise unknown()
    return _describe(config, portal, portal.upstream_numbers())


def _describe(
    config: UpstreamConfig, portal: Portal, numbers: Mapping[str, UpstreamNumbers]
) -> UpstreamDescription:
    terms = config.terms
    seen = numbers.get(terms.name, UpstreamNumbers())
    measures = terms.measure_streams
    return UpstreamDescription.model_validate(
        terms.model_dump(exclude={"measure_streams"})
        | {
            "id": config.id,
            "measure_streams": portal.settings.measure_streams if measures is None else measures,
            "has_api_key": bool(config.key_version),
            "key_last4": config.key_last4,
            "source": config.source,
            "place": config.place,
            "problem": config.problem,
            "health": {
                "state": seen.state,
                "requests": seen.requests,
                "failures": seen.failures,
                "last_failure": seen.last_failure,
            },
        }
    )


def _check_name(name: str, portal: Portal) -> None:
    if any(x.name == name for x in portal.settings.configured_upstreams):
        raise _taken(name)


def _check_is_here(upstream_id: str, portal: Portal) -> None:
    """Raise ProblemError 409 for an upstream of the settings."""
    for config in portal.upstreams.configs:
        if config.id == upstream_id and config.source == "settings":
            message = f"The upstream {config.terms.name} is set in {config.place}: change it there."
            raise ProblemError(409, message)


async def _find(session: AsyncSession, upstream_id: str) -> StoredUpstream:
    row = await stored.find_locked(session, upstream_id)
    if row is None:
        raise unknown()
    return row


def _taken(name: str) -> ProblemError:
    return ProblemError(409, f"An upstream with the name {name} already exists.", field="name")
