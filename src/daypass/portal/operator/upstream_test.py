"""POST /api/operator/upstreams/test: try an upstream, and explain what fails."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from daypass.config.upstreams import DEFAULT_NAME, Auth, UpstreamTerms
from daypass.portal.context import InPortal, Operator, Portal
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
from daypass.records import upstreams as stored
from daypass.records.sealed_keys import SealBrokenError
from daypass.records.tables import StoredUpstream
from daypass.upstreams.current import open_upstream
from daypass.upstreams.probe import probe

TEST_S = 15.0
"""How long each call of a test may take, in seconds."""

router = APIRouter()


class UpstreamTest(BaseModel):
    """An upstream to try: a stored one by its `id`, a new one by its `base_url`, or both."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    base_url: str | None = None
    api_key: ApiKey | None = None
    auth: Auth | None = None
    model: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class UpstreamTestProblem(BaseModel):
    """What failed, and what to do."""

    what: str
    advice: str


class UpstreamTestResult(BaseModel):
    """The result of a test: a list of models, then a chat of one token."""

    ok: bool
    problem: UpstreamTestProblem | None
    models: list[str]
    model_tried: str | None
    latency_ms: int


@router.post("/upstreams/test")
async def test_upstream(
    test: UpstreamTest, _operator: Operator, portal: InPortal
) -> UpstreamTestResult:
    """List an upstream's models, then chat with one, and explain what failed."""
    terms, api_key = await _to_test(test, portal)
    check_address(terms, portal)
    waits = {"read_timeout_s": TEST_S, "first_byte_timeout_s": None, "call_timeout_s": TEST_S}
    upstream = open_upstream(portal.settings.model_copy(update=waits), terms, api_key)
    try:
        result = await probe(upstream, terms.base_url, model=test.model)
    finally:
        await upstream.close()
    found = result.problem
    problem = None
    if found is not None:
        problem = UpstreamTestProblem(what=f"{found.what}.", advice=found.advice)
    return UpstreamTestResult(
        ok=found is None,
        problem=problem,
        models=result.models,
        model_tried=result.model_tried,
        latency_ms=result.latency_ms,
    )


async def _to_test(test: UpstreamTest, portal: Portal) -> tuple[UpstreamTerms, str | None]:
    """Return the upstream to try, and its key."""
    if test.id is None:
        if test.base_url is None:
            raise ProblemError(422, "Name an address, or the id of an upstream.", field="base_url")
        terms = {"name": DEFAULT_NAME, "base_url": test.base_url, "auth": test.auth or "bearer"}
        return to_terms(terms), plain(test.api_key)
    before, stored_key = await _stored(test.id, portal)
    changes = {"base_url": test.base_url, "auth": test.auth}
    terms_now = to_terms(before.model_dump() | {x: y for x, y in changes.items() if y is not None})
    if "api_key" in test.model_fields_set:
        return terms_now, plain(test.api_key)
    if terms_now.origin != before.origin and stored_key is not None:
        raise ProblemError(422, KEY_FOR_ADDRESS, field="api_key")
    return terms_now, _opened(stored_key, portal)


async def _stored(
    upstream_id: str, portal: Portal
) -> tuple[UpstreamTerms, SecretStr | StoredUpstream | None]:
    """Return the terms of an upstream, and its key or the row that has it."""
    for upstream in portal.settings.configured_upstreams:
        if upstream_id == f"settings:{upstream.name}":
            return upstream.terms, upstream.api_key
    async with portal.database.read() as session:
        row = await session.get(StoredUpstream, upstream_id)
    if row is None:
        raise unknown()
    return terms_of(row), row if row.sealed_key else None


def _opened(key: SecretStr | StoredUpstream | None, portal: Portal) -> str | None:
    if not isinstance(key, StoredUpstream):
        return plain(key)
    try:
        return stored.key_of(key, sealer(portal))
    except SealBrokenError:
        message = "The stored key cannot be decrypted. Enter the key again."
        raise ProblemError(409, message, field="api_key") from None
