"""Checks of upstreams that operators create, change and test."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, Field, SecretStr, ValidationError

from daypass.config.upstream import check_upstream_key
from daypass.config.upstreams import UpstreamTerms, check_upstream_address
from daypass.portal.context import Portal
from daypass.portal.problems import ProblemError
from daypass.records import upstreams as stored
from daypass.records.sealed_keys import KeySealer
from daypass.records.tables import StoredUpstream
from daypass.upstreams.proxy_environment import proxy_problem

KEY_FOR_ADDRESS = (
    "Enter the key too: the stored key is only sent to the address for which it was entered."
)


def _check_key(value: SecretStr) -> SecretStr:
    check_upstream_key(value.get_secret_value().strip())
    return value


ApiKey = Annotated[SecretStr, Field(max_length=4_096), AfterValidator(_check_key)]


def to_terms(values: Mapping[str, Any]) -> UpstreamTerms:
    """Return valid terms. Raises RequestValidationError, which names each wrong member."""
    try:
        return UpstreamTerms.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([x | {"loc": ("body", *x["loc"])} for x in found]) from None


def terms_of(row: StoredUpstream) -> UpstreamTerms:
    """Return the terms of an upstream. Raises ProblemError 409 if they cannot be read."""
    try:
        return stored.terms_of(row)
    except stored.UpstreamUnreadableError:
        message = f"The options of the upstream {row.name} cannot be read: it can only be deleted."
        raise ProblemError(409, message) from None


def check_address(terms: UpstreamTerms, portal: Portal) -> None:
    """Raise ProblemError 422 for an address that an upstream may not have."""
    private = portal.settings.upstream_private_addresses == "allow"
    try:
        check_upstream_address(terms.base_url, private=private)
    except ValueError as error:
        raise ProblemError(
            422, f"This address is not allowed: {error}.", field="base_url"
        ) from None
    problem = proxy_problem(terms.base_url)
    if problem is not None:
        raise ProblemError(422, f"{problem}.", field="base_url")


def sealer(portal: Portal) -> KeySealer:
    """Return what encrypts and decrypts keys."""
    return KeySealer(portal.signer.keys)


def plain(key: SecretStr | None) -> str | None:
    """Return a key as it is sent upstream."""
    return None if key is None else key.get_secret_value().strip()


def unknown() -> ProblemError:
    """Return the 404 for an unknown id."""
    return ProblemError(404, "There is no such upstream.")
