"""`Idempotency-Key` on requests that create (draft-ietf-httpapi-idempotency-key-header-07).

A route that creates takes an `OperatorIdempotency` or `AccountIdempotency` and calls its `keep` in
the transaction that creates the object. A repeated request then gets the same answer for 24 hours.
Only successes are kept: after an error nothing exists, and the request may be tried again.
"""

import base64
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Depends, FastAPI, Header, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from daypass.portal.context import InPortal, Operator, Portal, SignedIn
from daypass.portal.problems import ProblemError
from daypass.records import idempotency
from daypass.records.database import DatabaseUnavailableError
from daypass.records.identifiers import digest
from daypass.records.tables import IdempotentAnswer

HEADER = "idempotency-key"
REPLAYED = {"idempotent-replayed": "true"}
MAX_LENGTH = 255
NONCE_BYTES = 12

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any unique text: a repeated request with it gets the same answer for 24 hours",
    ),
]


class ReplayError(Exception):
    """The request was served before. Its answer is sent again."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("replayed")
        self.status = status
        self.body = body


class _Cipher:
    """Encrypts one answer. The key is derived from the site's secret and the idempotency key.

    Without the caller's idempotency key, which is not stored, an answer cannot be read.
    """

    def __init__(self, secret: str, caller: str, key: str) -> None:
        info = f"daypass idempotency {caller} {key}".encode()
        derived = HKDF(SHA256(), 64, salt=None, info=info).derive(secret.encode())
        self._aead = AESGCM(derived[:32])
        self._mac_key = derived[32:]

    def fingerprint(self, request: bytes) -> str:
        """Return the HMAC of a request: its body can contain secrets."""
        return hmac.new(self._mac_key, request, hashlib.sha256).hexdigest()

    def encrypt(self, answer: bytes) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.b64encode(nonce + self._aead.encrypt(nonce, answer, None)).decode()

    def decrypt(self, text: str) -> bytes:
        data = base64.b64decode(text)
        return self._aead.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)


@dataclass(frozen=True, slots=True)
class Claim:
    """A request's claim to its idempotency key."""

    row_id: str
    name: str
    status: int
    cipher: _Cipher


class Idempotency:
    """Keeps the answer of the request, if it has an idempotency key."""

    def __init__(self, claim: Claim | None) -> None:
        self._claim = claim

    async def keep(self, session: AsyncSession, answer: BaseModel | None = None) -> None:
        """Keep the answer in the transaction that creates the object.

        Raises 409 if another request has taken the key over, because this one took too long.
        """
        claim = self._claim
        if claim is None:
            return
        body = b"null" if answer is None else answer.model_dump_json().encode()
        sealed = claim.cipher.encrypt(body)
        if not await idempotency.keep(session, claim.row_id, claim.name, claim.status, sealed):
            raise _still_running()


async def _of_operator(
    request: Request, portal: InPortal, operator: Operator, _key: KeyHeader = None
) -> AsyncIterator[Idempotency]:
    caller = f"operator {operator.id} {operator.token_id or 'signed in'}"
    async with _claimed(request, portal, caller) as found:
        yield found


async def _of_account(
    request: Request, portal: InPortal, account: SignedIn, _key: KeyHeader = None
) -> AsyncIterator[Idempotency]:
    async with _claimed(request, portal, f"account {account.id}") as found:
        yield found


# `function`: a failed request gives its claim up before its answer is sent.
OperatorIdempotency = Annotated[Idempotency, Depends(_of_operator, scope="function")]
AccountIdempotency = Annotated[Idempotency, Depends(_of_account, scope="function")]


def install(app: FastAPI) -> None:
    """Make the portal send kept answers."""

    async def on_replay(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ReplayError)  # noqa: S101
        return Response(error.body, error.status, REPLAYED, "application/json")

    app.add_exception_handler(ReplayError, on_replay)


@contextlib.asynccontextmanager
async def _claimed(request: Request, portal: Portal, caller: str) -> AsyncIterator[Idempotency]:
    key = _key_of(request)
    if key is None:
        yield Idempotency(None)
        return
    claim = await _claim(request, portal, caller, key)
    try:
        yield Idempotency(claim)
    finally:
        # If this fails, the claim expires.
        with contextlib.suppress(DatabaseUnavailableError):
            async with portal.database.write() as session:
                await idempotency.release(session, claim.row_id, claim.name)


async def _claim(request: Request, portal: Portal, caller: str, key: str) -> Claim:
    """Claim the key. Raises ReplayError if the request was served before, or 409 or 422."""
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    asked += await request.body()
    ciphers = [_Cipher(secret, caller, key) for secret in portal.signer.keys]
    row_id = digest(f"{caller}\n{key}")
    name = secrets.token_hex(16)
    fingerprint = ciphers[0].fingerprint(asked)
    async with portal.database.write() as session:
        row = await idempotency.claim(session, row_id, fingerprint, name, portal.now())
    if row is not None:
        raise _refusal(row, ciphers, asked)
    status = request.scope["route"].status_code or 200
    return Claim(row_id, name, status, ciphers[0])


def _refusal(row: IdempotentAnswer, ciphers: list[_Cipher], asked: bytes) -> Exception:
    # Several while the secret key is being rotated.
    cipher = next((x for x in ciphers if x.fingerprint(asked) == row.request), None)
    if cipher is None:
        return ProblemError(
            422,
            "This Idempotency-Key was used for another request. Use a new key for a new request, "
            "and repeat a request unchanged.",
        )
    if row.answer is None or row.status is None:
        return _still_running()
    try:
        return ReplayError(row.status, cipher.decrypt(row.answer))
    except InvalidTag:
        return ProblemError(409, "The answer to this request was kept, but it cannot be read.")


def _still_running() -> ProblemError:
    message = "A request with this Idempotency-Key is still running. Try again in a moment."
    return ProblemError(409, message, retry_after_s=1)


def _key_of(request: Request) -> str | None:
    """Return the key, with or without the quotes of the draft. Raises 400 if it is malformed."""
    found = request.headers.getlist(HEADER)
    if not found:
        return None
    key = found[0].strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if len(found) > 1 or not key or len(key) > MAX_LENGTH or not (key + " ").isprintable():
        raise ProblemError(
            400, f"Send one Idempotency-Key of 1 to {MAX_LENGTH} printable characters."
        )
    return key
