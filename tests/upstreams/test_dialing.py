"""An upstream whose name has several addresses: real sockets with our own resolver."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvloop

from daypass.upstreams.base import (
    Timeouts,
    UpstreamRequest,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from daypass.upstreams.http import HttpUpstream

PATIENCE = Timeouts(connect_s=20, first_byte_s=20, gap_s=20, call_s=60)
GET = UpstreamRequest("GET", b"/x", [], b"")
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

LOOPS = [asyncio.SelectorEventLoop, uvloop.Loop]
HANGS, REFUSES, SERVES, OTHER = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


def resolving(loop: type[Any], hosts: list[str]) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return an event loop class that resolves every name to these addresses."""

    class Resolving(loop):  # type: ignore[misc]
        async def getaddrinfo(self, name: str, port: int, *_: Any, **__: Any) -> list[Any]:
            kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            found = hosts if name.endswith(".example") else [name]  # uvloop resolves addresses too
            return [(*kind, (host, port)) for host in found]

    return Resolving


@contextmanager
def full_backlog(host: str) -> Iterator[int]:
    """A port whose backlog is full, so that connections never complete."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex((host, port))
        yield port


async def fetch(port: int, patience: Timeouts = PATIENCE, *, scheme: str = "http") -> float:
    """Call the upstream and return the seconds that it took."""
    client = HttpUpstream(f"{scheme}://several.example:{port}", None, patience)
    began = time.monotonic()
    try:
        response = await client.open(GET)
        assert response.status == 200
        response.close()
    finally:
        await client.close()
    return time.monotonic() - began


async def serve(host: str, port: int) -> tuple[asyncio.Server, list[int]]:
    connections: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        if await reader.read(65_536):
            writer.write(OK)
        writer.close()

    return await asyncio.start_server(answer, host, port), connections


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("others", [[HANGS], [REFUSES], [HANGS, REFUSES, HANGS]], ids=len)
def test_an_unresponsive_address_is_passed_over_quickly(loop: type[Any], others: list[str]) -> None:
    """Without RFC 8305, a first address that hangs uses up the connect timeout: a 504."""

    async def run(port: int) -> float:
        server, _ = await serve(SERVES, port)
        took = await fetch(port)
        server.close()
        return took

    with full_backlog(HANGS) as port:
        hosts = [*others, SERVES]
        with asyncio.Runner(loop_factory=resolving(loop, hosts)) as runner:
            assert runner.run(run(port)) < PATIENCE.connect_s / 2


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
def test_only_one_connection_is_used_and_none_is_left_open(loop: type[Any]) -> None:
    async def run(port: int) -> None:
        before = len(asyncio.all_tasks())
        server, used = await serve(SERVES, port)
        other, unused = await serve(OTHER, port)
        for _ in range(5):
            await fetch(port)
        assert (len(used), len(unused)) == (5, 0)
        with pytest.raises(UpstreamTimeoutError):
            await asyncio.wait_for(fetch_from_hanging(port), 10)
        for listener in (server, other):
            listener.close()
            await listener.wait_closed()
        while len(asyncio.all_tasks()) > before:
            await asyncio.sleep(0.01)

    async def fetch_from_hanging(port: int) -> None:
        hosts[:] = [HANGS, HANGS]
        await fetch(port, Timeouts(connect_s=0.5, first_byte_s=5, gap_s=5, call_s=5))

    hosts = [SERVES, OTHER]
    with full_backlog(HANGS) as port, asyncio.Runner(loop_factory=resolving(loop, hosts)) as runner:
        runner.run(run(port))


def test_all_addresses_refusing_is_an_immediate_error() -> None:
    loops = resolving(uvloop.Loop, [REFUSES, REFUSES, OTHER])
    with asyncio.Runner(loop_factory=loops) as runner, pytest.raises(UpstreamUnreachableError):
        runner.run(fetch(9))


def test_one_forbidden_address_forbids_the_upstream() -> None:
    """Otherwise a name's second address could point to a metadata service."""

    async def run(port: int) -> int:
        server, connections = await serve(SERVES, port)
        with pytest.raises(UpstreamUnreachableError):
            await fetch(port)
        server.close()
        return len(connections)

    with full_backlog(HANGS) as port:
        loops = resolving(uvloop.Loop, [SERVES, "169.254.169.254"])
        with asyncio.Runner(loop_factory=loops) as runner:
            assert runner.run(run(port)) == 0


def test_the_next_address_is_tried_when_tls_fails() -> None:
    """Each address is tried, and the last failure is reported."""

    async def run(port: int) -> list[int]:
        servers = [await serve(host, port) for host in (SERVES, OTHER)]
        with pytest.raises(UpstreamUnreachableError) as caught:
            await fetch(port, scheme="https")
        assert isinstance(caught.value.__cause__, ssl.SSLError | ConnectionError)
        for server, _ in servers:
            server.close()
        return [len(connections) for _, connections in servers]

    with full_backlog(HANGS) as port:
        loops = resolving(uvloop.Loop, [SERVES, OTHER])
        with asyncio.Runner(loop_factory=loops) as runner:
            assert runner.run(run(port)) == [1, 1]
