"""`daypass aws verify`: checks that need a real account, made by calling the stage.

It creates a usage plan, an account and a key for itself, and deletes them at the end.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import urllib3

from daypass.domain.key_format import PLAIN_PREFIX, PREFIX, mint
from daypass.domain.plans import UsagePlan, requests_per_day
from daypass.enforcement.aws.components import AwsComponents
from daypass.enforcement.aws.errors import AwsError
from daypass.records import accounts, api_keys
from daypass.records.database import Database

LIMIT = 50
"""The quota of the temporary plan. UpdateUsage sets the lower number that is tried."""
ADMITTED = 5
TRIED = 25
"""The number of calls after which to stop waiting for a refusal."""
READ_BYTES = 65_536
SETTLE_S = 5.0
PATIENCE_S = 120.0
APART_S = 0.02
"""Pieces that arrive closer together than this came in one go, in seconds."""


class Seen(NamedTuple):
    """One check and its result."""

    what: str
    ok: bool
    found: str


class Verification:
    """Calls one stage with a temporary key. Raises AwsError if it cannot be created."""

    def __init__(
        self, parts: AwsComponents, database: Database, settle_s: float = SETTLE_S
    ) -> None:
        """`settle_s` is how long to wait for a change of the remaining requests to take effect."""
        self._settle_s = settle_s
        self._http = urllib3.PoolManager(timeout=PATIENCE_S, retries=False)
        self._parts = parts
        self._api = parts.api
        self._database = database
        self._plan = UsagePlan(
            id=f"daypass-verify-{secrets.token_hex(4)}",
            name="daypass aws verify",
            limits=requests_per_day(LIMIT).limits,
        )
        self._plan_id = ""
        self._key_id = ""
        self._account_id = ""
        self._secret = ""

    async def run(self) -> AsyncIterator[Seen]:
        """Run one check after the other, and yield the results."""
        yield await self._without_key()
        async with self._key():
            yield self._format()
            admitted = await self._activation()
            yield admitted
            if not admitted.ok:
                return
            yield await self._limit()
            yield await self._stream()
        yield Seen("what was made", True, "removed")

    async def _without_key(self) -> Seen:
        answer = await self._get("/key", with_key=False)
        found = f"{answer.status} {_json(answer).get('error', {}).get('code')}"
        return Seen("a call without a key is refused", found == "401 invalid_api_key", found)

    def _format(self) -> Seen:
        has_underscore = self._secret.startswith(PREFIX)
        found = f"keys begin with {PREFIX if has_underscore else PLAIN_PREFIX}"
        return Seen("a key of our own format is taken", True, found)

    async def _activation(self) -> Seen:
        what = "a new key works"
        began = time.monotonic()
        while True:
            status = (await self._get("/key")).status
            waited = time.monotonic() - began
            if status not in (401, 403):
                return Seen(what, status == 200, f"{status} after {waited:.0f} s")
            if waited > PATIENCE_S:
                return Seen(what, False, f"{status} still after {waited:.0f} s")
            await asyncio.sleep(1)

    async def _limit(self) -> Seen:
        """Lower the remaining requests, as a rotation does, and count the calls that pass."""
        what = f"with {ADMITTED} requests left, {ADMITTED} calls pass and the next is 429"
        await self._leave(ADMITTED)
        passed = 0
        while (status := (await self._get("/key")).status) == 200 and passed < TRIED:
            passed += 1
        return Seen(what, status == 429 and passed == ADMITTED, f"{passed} passed, then {status}")

    async def _stream(self) -> Seen:
        """Grant more requests by UpdateUsage, and watch a stream arrive."""
        await self._leave(ADMITTED)
        asked = {
            "model": await self._model(),
            "messages": [{"role": "user", "content": "Count from 1 to 30."}],
            "stream": True,
        }
        status, arrivals = await asyncio.to_thread(self._watch_stream, asked)
        pieces = 1 + sum(b - a > APART_S for a, b in itertools.pairwise(arrivals))
        spread = arrivals[-1] - arrivals[0] if arrivals else 0
        found = f"{status}, {pieces} pieces over {spread:.1f} s"
        return Seen("a stream arrives in pieces", status == 200 and pieces > 2, found)

    def _watch_stream(self, asked: dict[str, Any]) -> tuple[int, list[float]]:
        answer = self._http.request(
            "POST",
            f"{self._parts.base_url}/chat/completions",
            json=asked,
            headers={"x-api-key": self._secret},
            preload_content=False,
        )
        return answer.status, [time.monotonic() for _ in answer.stream(READ_BYTES)]

    async def _model(self) -> str:
        models = [str(x["id"]) for x in _json(await self._get("/models")).get("data", [])]
        return next((x for x in models if "mini" in x or "demo" in x), models[0] if models else "")

    async def _leave(self, requests: int) -> None:
        await self._api.set_remaining(self._key_id, self._plan_id, requests)
        await asyncio.sleep(self._settle_s)

    async def _get(self, path: str, with_key: bool = True) -> urllib3.BaseHTTPResponse:
        headers = {"x-api-key": self._secret} if with_key else {}
        url = self._parts.base_url + path
        return await asyncio.to_thread(self._http.request, "GET", url, headers=headers)

    @asynccontextmanager
    async def _key(self) -> AsyncIterator[None]:
        try:
            self._plan_id = await self._api.create_usage_plan(self._plan)
            await self._make_key()
            yield
        finally:
            await self._remove()

    async def _make_key(self) -> None:
        now = int(time.time())
        email = f"{self._plan.id}@verify.invalid"
        async with self._database.write() as session:
            account = await accounts.create(session, email, "!", now)
        self._account_id = account.id
        minted = mint()
        try:
            self._key_id = await self._api.create_key(self._plan.id, minted.secret, account.id)
        except AwsError as error:
            if error.code != "BadRequestException":
                raise
            minted = mint(PLAIN_PREFIX)
            self._key_id = await self._api.create_key(self._plan.id, minted.secret, account.id)
        self._secret = minted.secret
        await self._api.attach(self._key_id, self._plan_id)
        async with self._database.write() as session:
            key = await api_keys.create(
                session,
                account.id,
                minted,
                name="verify",
                usage_plan_id=self._plan.id,
                max_keys=1,
                now=now,
            )
            key.aws_key_id = self._key_id

    async def _remove(self) -> None:
        if self._key_id:
            await self._api.delete_key(self._key_id)
        if self._plan_id:
            await self._api.delete_usage_plan(self._plan_id)
        if self._account_id:
            async with self._database.write() as session:
                await accounts.remove(session, self._account_id)


def _json(answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
