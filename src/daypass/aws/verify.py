"""`daypass aws verify`: what only a real account can show, seen by calling the stage itself.

It makes a usage plan, an account and a key for itself, and removes them at the end.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from daypass.api_keys import PLAIN_PREFIX, PREFIX, mint
from daypass.aws.assembly import Assembly
from daypass.aws.errors import AwsError
from daypass.plans import UsagePlan, requests_per_day
from daypass.records import accounts, api_keys
from daypass.records.database import Database

LIMIT = 50
"""Of the plan that is made: what is tried is set by UpdateUsage, and is less."""
ADMITTED = 5
OVERSHOOT = 20
"""Calls over the limit after which counting is not waited for any longer."""
SETTLE_S = 5.0
PATIENCE_S = 120.0
APART_S = 0.02
"""Pieces of a stream that come in one go are closer together."""


class Seen(NamedTuple):
    """One thing that was tried, and what was seen."""

    what: str
    ok: bool
    found: str


class Verification:
    """Calls one stage with a key made for that. Raises AwsError when it cannot be made."""

    def __init__(self, parts: Assembly, database: Database) -> None:
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
        """Try one thing after the other, and tell what was seen."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            yield await self._without_key(http)
            async with self._key():
                yield self._format()
                admitted = await self._activation(http)
                yield admitted
                if not admitted.ok:
                    return
                yield await self._limit(http)
                yield await self._stream(http)
        yield Seen("what was made", True, "removed")

    async def _without_key(self, http: aiohttp.ClientSession) -> Seen:
        async with http.get(f"{self._parts.base_url}/key") as response:
            code = (await _json(response)).get("error", {}).get("code")
            found = f"{response.status} {code}"
        return Seen("a call without a key is refused", found == "401 invalid_api_key", found)

    def _format(self) -> Seen:
        has_underscore = self._secret.startswith(PREFIX)
        found = f"keys begin with {PREFIX if has_underscore else PLAIN_PREFIX}"
        return Seen("a key of our own format is taken", True, found)

    async def _activation(self, http: aiohttp.ClientSession) -> Seen:
        began = time.monotonic()
        while True:
            status = await self._call(http)
            waited = time.monotonic() - began
            if status not in (401, 403):
                return Seen("a new key works", status == 200, f"{status} after {waited:.0f} s")
            if waited > PATIENCE_S:
                return Seen("a new key works", False, f"{status} still after {waited:.0f} s")
            await asyncio.sleep(1)

    async def _limit(self, http: aiohttp.ClientSession) -> Seen:
        """Lower what is left, as a rotation does, and see how many calls pass."""
        what = f"with {ADMITTED} requests left, {ADMITTED} calls pass and the next is 429"
        await self._leave(ADMITTED)
        passed = 0
        while (status := await self._call(http)) == 200 and passed < ADMITTED + OVERSHOOT:
            passed += 1
        return Seen(what, status == 429 and passed == ADMITTED, f"{passed} passed, then {status}")

    async def _stream(self, http: aiohttp.ClientSession) -> Seen:
        """Grant more, as UpdateUsage is meant for, and watch a stream arrive."""
        what = "a stream arrives in pieces"
        await self._leave(ADMITTED)
        asked: dict[str, Any] = {
            "model": await self._model(http),
            "messages": [{"role": "user", "content": "Count from 1 to 30."}],
            "stream": True,
        }
        arrivals = []
        url = f"{self._parts.base_url}/chat/completions"
        async with http.post(url, json=asked, headers=self._headers) as response:
            async for _ in response.content.iter_any():
                arrivals.append(time.monotonic())
        pieces = 1 + sum(b - a > APART_S for a, b in itertools.pairwise(arrivals))
        spread = arrivals[-1] - arrivals[0] if arrivals else 0
        found = f"{response.status}, {pieces} pieces over {spread:.1f} s"
        return Seen(what, response.status == 200 and pieces > 2, found)

    async def _model(self, http: aiohttp.ClientSession) -> str:
        async with http.get(f"{self._parts.base_url}/models", headers=self._headers) as response:
            models = [str(x["id"]) for x in (await _json(response)).get("data", [])]
        return next((x for x in models if "mini" in x or "demo" in x), models[0] if models else "")

    async def _leave(self, requests: int) -> None:
        await self._api.set_remaining(self._key_id, self._plan_id, requests)
        await asyncio.sleep(SETTLE_S)

    async def _call(self, http: aiohttp.ClientSession) -> int:
        async with http.get(f"{self._parts.base_url}/key", headers=self._headers) as response:
            await response.read()
            return response.status

    @property
    def _headers(self) -> dict[str, str]:
        return {"x-api-key": self._secret}

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
            account.role = accounts.MEMBER
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


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        document = await response.json(content_type=None)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
