"""Sends a request to one upstream after the other until one serves it."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence

from daypass.upstreams.base import (
    UpstreamError,
    UpstreamRequest,
    UpstreamResponse,
    UpstreamTimeoutError,
)
from daypass.upstreams.routing import Candidate

ToRequest = Callable[[Candidate], UpstreamRequest]
PassedOver = Callable[[int | None, UpstreamError | None], None]
"""Called when an upstream did not serve the request, with its status or the error."""


class _WatchedBody:
    """A streamed body that notes whether any of it has been taken."""

    def __init__(self, body: AsyncIterable[bytes]) -> None:
        self._body = body
        self.is_begun = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_begun = True
        async for piece in self._body:
            yield piece


async def open_in_turn(
    candidates: Sequence[Candidate], to_request: ToRequest, passed_over: PassedOver, call_s: float
) -> UpstreamResponse:
    """Return the first response that is neither a 429 nor a 5xx, else the last upstream's.

    Move on only before the first byte, within `call_s` seconds, and if no upstream may have done
    the work. Raises the UpstreamError of the last upstream that was tried.
    """
    if len(candidates) == 1:
        return await candidates[0].member.upstream.open(to_request(candidates[0]))
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    last = candidates[-1]
    for candidate in candidates:
        request = to_request(candidate)
        request.began_at = began_at
        body = request.body
        watched = None if isinstance(body, bytes) else _WatchedBody(body)
        if watched is not None:
            request.body = watched
        candidate.member.breaker.begin()

        def may_move_on(watched: _WatchedBody | None = watched) -> bool:
            is_spent = watched is not None and watched.is_begun
            return not is_spent and loop.time() - began_at < call_s

        try:
            response = await candidate.member.upstream.open(request)
        except UpstreamError as error:
            if candidate is last or _may_have_worked(error) or not may_move_on():
                raise
            passed_over(None, error)
            continue
        is_failure = response.status == 429 or response.status >= 500
        if candidate is last or not is_failure or not may_move_on():
            return response
        response.close()
        passed_over(response.status, None)
    raise AssertionError("there is always a last candidate")


def _may_have_worked(error: UpstreamError) -> bool:
    """Return whether the upstream had all of the request, and time to work on it."""
    return isinstance(error, UpstreamTimeoutError) and error.was_sent
