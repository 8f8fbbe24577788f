"""How commands reach Redis or Valkey: one server, one that Sentinel chooses, or a Cluster."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import hiredis
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisClusterException,
    RedisError,
    ResponseError,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from daypass.quota.ledger import DECISION_S

ASK_ANOTHER_S = 0.6
"""Seconds after which one of several servers that does not answer is passed over."""
SENTINEL_PORT = 26_379
REDIS_PORT = 6_379

Command = tuple[str | bytes | int, ...]

_ELSEWHERE = (MovedError, AskError, TryAgainError, ClusterDownError)


def connect(url: str) -> "Redis | RedisCluster":
    """A client for a Redis URL. It opens its connections when they are first used.

    `redis://[user:password@]host[:port][/database]` (`rediss://`: over TLS),
    `redis+sentinel://host:port,host:port/service[/database]`,
    `redis+cluster://host:port,host:port` (`rediss+…`: over TLS). No query. Credentials are those
    of the Redis servers, not of the sentinels. Raises ValueError for any other.
    """
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if scheme not in ("redis", "rediss") or kind not in ("", "sentinel", "cluster") or parts.query:
        raise ValueError("use redis://, rediss://, redis+sentinel:// or redis+cluster://")
    credentials, _, places = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    patience_s = ASK_ANOTHER_S if kind else DECISION_S
    options: dict[str, Any] = {
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "ssl": scheme == "rediss",
        "socket_timeout": patience_s,
        "socket_connect_timeout": patience_s,
    }
    hosts = [_host(place, kind) for place in places.split(",")]
    path = parts.path.strip("/").split("/")
    if kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in hosts]
        return RedisCluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 1), **options)
    # What fails is repeated where it is known that it may be: see Lane.
    options["retry"] = Retry(NoBackoff(), 0)
    if kind == "sentinel":
        service, *database = path
        if not service:
            raise ValueError("name the service: redis+sentinel://host:port/service")
        sentinel_options = {x: y for x, y in options.items() if x.startswith(("socket_", "retry"))}
        sentinel = Sentinel(hosts, sentinel_kwargs=sentinel_options, **options)  # type: ignore[no-untyped-call]
        master: Redis = sentinel.master_for(service, db=_database(database))
        return master
    if len(hosts) != 1:
        raise ValueError("several servers are redis+sentinel:// or redis+cluster://")
    ((host, port),) = hosts
    return Redis(host=host, port=port, db=_database([x for x in path if x]), **options)


def _host(place: str, kind: str) -> tuple[str, int]:
    parts = urlsplit(f"//{place}")
    default = SENTINEL_PORT if kind == "sentinel" else REDIS_PORT
    return parts.hostname or "127.0.0.1", parts.port or default


def _database(path: list[str]) -> int:
    if len(path) > 1 or not all(x.isdecimal() for x in path):
        raise ValueError("a database is a number: redis://host:port/0")
    return int(path[0]) if path else 0


class Wire(Protocol):
    """Takes commands to a node and brings back a reply for each, which may be a RedisError."""

    async def open(self) -> None:
        """Find the server or servers. Raises RedisError or OSError."""

    def node(self, key: str) -> str:
        """The name of the node that holds a key."""

    async def exchange(self, node: str, commands: Sequence[Command]) -> list[Any]:
        """One round trip. Raises RedisError or OSError when it fails as a whole."""

    async def close(self) -> None:
        """Close every connection."""


def wire(client: "Redis | RedisCluster") -> Wire:
    """The wire of a client."""
    return _ClusterWire(client) if isinstance(client, RedisCluster) else _ServerWire(client)


class _ServerWire:
    def __init__(self, client: "Redis") -> None:
        self._client = client
        self._connection: AbstractConnection | None = None

    async def open(self) -> None:
        await self._client.ping()

    def node(self, _key: str) -> str:
        return ""

    async def exchange(self, _node: str, commands: Sequence[Command]) -> list[Any]:
        if self._connection is None:
            pool = self._client.connection_pool
            self._connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        return await _converse(self._connection, commands)

    async def close(self) -> None:
        if self._connection is not None:
            await self._client.connection_pool.release(self._connection)
        await self._client.aclose()


class _ClusterWire:
    def __init__(self, client: RedisCluster) -> None:
        self._client = client

    async def open(self) -> None:
        with _as_connection_error():
            await self._client.initialize()

    def node(self, key: str) -> str:
        try:
            node = self._client.get_node_from_key(key)
        except SlotNotCoveredError:
            node = None
        return node.name if node is not None else ""

    async def exchange(self, node: str, commands: Sequence[Command]) -> list[Any]:
        """Straight to the node; by the client's own, slower way where that has moved or gone."""
        target = self._client.get_node(node_name=node) if node else None
        replies: list[Any] = [ClusterDownError("no such node")] * len(commands)
        if target is not None:
            connection = target.acquire_connection()
            try:
                replies = await _converse(connection, commands)
            except (RedisError, OSError):
                await connection.disconnect()
            finally:
                target.release(connection)
        for place, reply in enumerate(replies):
            if isinstance(reply, _ELSEWHERE):
                with _as_connection_error():
                    replies[place] = await self._execute(commands[place])
        return replies

    async def _execute(self, command: Command) -> Any:
        try:
            return await self._client.execute_command(*command)
        except ResponseError as error:
            return error

    async def close(self) -> None:
        await self._client.aclose()


@contextlib.contextmanager
def _as_connection_error() -> Iterator[None]:
    """What redis-py raises for a Cluster that cannot be reached is no RedisError."""
    try:
        yield
    except RedisClusterException as error:
        raise RedisConnectionError(str(error)) from error


# hiredis annotates a tuple of one argument and takes any number of them.
pack: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]


async def _converse(connection: AbstractConnection, commands: Sequence[Command]) -> list[Any]:
    """Send commands in one packet and read the replies. A failure closes the connection."""
    await connection.send_packed_command([pack(x) for x in commands])
    replies: list[Any] = []
    for _ in commands:
        try:
            # The caller has set a time for the whole.
            replies.append(await connection.read_response(timeout=math.inf))
        except ResponseError as error:
            replies.append(error)
    return replies
