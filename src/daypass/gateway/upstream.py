"""The upstream: open a request, get its answer's head, then its bytes as they come."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from daypass.gateway.asgi import Headers

KEEP_ALIVE_S = 4
"""Below the 5 s after which uvicorn (vLLM, say) closes an idle connection under our feet."""


class UpstreamError(Exception):
    """The upstream did not serve the request; `sent` tells whether it may have seen it."""


class UpstreamUnreachableError(UpstreamError):
    """It could not be reached, or hung up before it answered."""


class UpstreamTimeoutError(UpstreamError):
    """It did not answer in time."""


class UpstreamBrokeError(Exception):
    """The upstream's answer broke off after it had begun."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """What is sent to the upstream. `target` is the path below its base address."""

    method: str
    target: str
    headers: Headers
    body: bytes | AsyncIterable[bytes]


class UpstreamResponse(Protocol):
    """The head of an answer, and its body as it arrives."""

    status: int
    headers: Headers

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, unchanged, piece by piece. Raises UpstreamBrokeError."""

    def close(self) -> None:
        """End the request: at once, when the body has not been read to its end."""


class Upstream(Protocol):
    """An OpenAI-compatible service."""

    async def open(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send a request and wait for the head of its answer. Raises UpstreamError."""

    async def close(self) -> None:
        """Close idle connections."""


class HttpUpstream:
    """An upstream reached over HTTP/1.1 with a pool of kept-alive connections."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        connect_timeout_s: float,
        read_timeout_s: float,
    ) -> None:
        """`read_timeout_s` bounds the silence before an answer and within it, in seconds."""
        self._base_url = base_url
        self._authorization = f"Bearer {api_key}" if api_key else None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=connect_timeout_s, sock_read=read_timeout_s
            ),
            skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
            read_bufsize=256 * 1024,
        )

    async def open(self, request: UpstreamRequest) -> "HttpResponse":
        """Send a request and wait for the head of its answer. Redirects are not followed."""
        headers = CIMultiDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers
        )
        headers["accept-encoding"] = "identity"
        if self._authorization:
            headers["authorization"] = self._authorization
        try:
            response = await self._session.request(
                request.method,
                URL(self._base_url + request.target, encoded=True),
                data=request.body or None,
                headers=headers,
                allow_redirects=False,
            )
        except aiohttp.ServerTimeoutError as error:
            raise UpstreamTimeoutError from error
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise UpstreamUnreachableError(type(error).__name__) from error
        return HttpResponse(response)

    async def close(self) -> None:
        """Close idle connections."""
        await self._session.close()


class HttpResponse:
    """An answer that arrives over HTTP."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers: Headers = [(name.lower(), value) for name, value in response.raw_headers]
        self._response = response

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, unchanged, as it arrives. Raises UpstreamBrokeError."""
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamBrokeError(type(error).__name__) from error

    def close(self) -> None:
        """Return the connection to the pool, or close it when bytes are still to come."""
        self._response.close() if not self._response.content.at_eof() else self._response.release()
