"""Bounds on the attempts of one request, and draining of a connection pool."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from starlette.responses import JSONResponse, Response

from daypass.upstreams.base import Timeouts, UpstreamRequest, UpstreamTimeoutError
from daypass.upstreams.failover import open_in_turn
from daypass.upstreams.http import HttpUpstream
from daypass.upstreams.member import Member
from daypass.upstreams.routing import Candidate
from tests.support.upstream import FakeUpstream, Seen

PATIENCE = Timeouts(connect_s=5, first_byte_s=30, gap_s=30, call_s=30)


@pytest.fixture(scope="module")
def two() -> Iterator[list[FakeUpstream]]:
    upstreams = [FakeUpstream(), FakeUpstream()]
    for upstream in upstreams:
        upstream.start()
    upstreams[0].reply = lambda _seen: JSONResponse({}, 500)
    yield upstreams
    for upstream in upstreams:
        upstream.stop()


def request() -> UpstreamRequest:
    return UpstreamRequest("POST", b"/x", [(b"content-type", b"application/json")], b"{}")


@pytest.mark.parametrize(("call_s", "status", "tries"), [(30.0, 200, 1), (0.0, 500, 0)])
async def test_no_further_upstream_is_tried_after_the_deadline(
    two: list[FakeUpstream], call_s: float, status: int, tries: int
) -> None:
    two[1].seen.clear()
    pools = [HttpUpstream(x.base_url, None, PATIENCE) for x in two]
    candidates = [Candidate(Member(str(number), x, None)) for number, x in enumerate(pools)]
    passed_over: list[int | None] = []
    response = await open_in_turn(
        candidates, lambda _: request(), lambda status, _: passed_over.append(status), call_s
    )
    assert response.status == status
    assert len(two[1].seen) == tries
    assert passed_over == [500] * tries
    response.close()
    for pool in pools:
        await pool.close()


async def test_the_call_timeout_includes_earlier_attempts(two: list[FakeUpstream]) -> None:
    pool = HttpUpstream(two[1].base_url, None, PATIENCE)
    late = request()
    late.began_at = asyncio.get_running_loop().time() - PATIENCE.call_s

    def slow(_seen: Seen) -> Response:
        time.sleep(1.5)
        return JSONResponse({})

    two[1].reply = slow
    with pytest.raises(UpstreamTimeoutError, match="the call took too long"):
        await pool.open(late)
    await pool.close()


async def test_a_drained_pool_finishes_open_requests_and_closes_idle_connections() -> None:
    upstream = FakeUpstream()
    upstream.start()
    pool = HttpUpstream(upstream.base_url, None, PATIENCE)
    # One connection is idle, another one has a request in flight.
    first = await pool.open(request())
    second = await pool.open(request())
    await first.read()
    first.close()
    pool.drain()
    assert not pool.is_idle
    while not second.ended:
        assert await second.read()
    second.close()
    # A request that chose this pool earlier is served too.
    late = await pool.open(request())
    assert late.status == 200
    while not late.ended:
        await late.read()
    late.close()
    async with asyncio.timeout(10):
        while not pool.is_idle or pool._sweeping is not None:
            await asyncio.sleep(0.02)
    upstream.stop()
