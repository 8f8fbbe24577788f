"""Redis URLs: one server, its sentinels, or the nodes of a Cluster."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from daypass.quota.ledger import DECISION_S

ASK_ANOTHER_S = 0.6
"""Seconds to wait for one of several servers before trying the next."""
SENTINEL_PORT = 26_379
REDIS_PORT = 6_379

Kind = Literal["server", "sentinel", "cluster"]


class Place(NamedTuple):
    """The host and port of a server."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Access:
    """How to connect to a server."""

    user: str | None
    password: str | None
    tls: bool
    timeout_s: float
    database: int = 0

    def connection(self, place: Place) -> AbstractConnection:
        """Return an unopened connection. It does not retry: only its user knows if that is safe.

        It has no timeouts of its own, since those could swallow a cancellation (`background.end`).
        The user sets them.
        """
        kind = SSLConnection if self.tls else Connection
        options = self._options() | {"socket_timeout": None, "socket_connect_timeout": None}
        connection: AbstractConnection = kind(host=place.host, port=place.port, **options)
        return connection

    def client_options(self, place: Place) -> dict[str, Any]:
        """Return the same settings as options for a redis-py client."""
        return self._options() | {"host": place.host, "port": place.port, "ssl": self.tls}

    def _options(self) -> dict[str, Any]:
        return {
            "username": self.user,
            "password": self.password,
            "db": self.database,
            "socket_timeout": self.timeout_s,
            "socket_connect_timeout": self.timeout_s,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A parsed Redis URL."""

    kind: Kind
    places: tuple[Place, ...]
    access: Access
    service: str = ""
    """The service name by which the sentinels know the master."""
    sentinel_access: Access | None = None


def parse(url: str) -> RedisUrl:
    """Parse a Redis URL.

    `redis://[user:password@]host[:port][/database]` (`rediss://`: over TLS),
    `redis+sentinel://host:port,host:port/service[/database]`,
    `redis+cluster://host:port,host:port` (`rediss+…`: over TLS). Credentials are those of the
    Redis servers. Those of the sentinels are `?sentinel_username=…&sentinel_password=…`, with
    `sentinel_tls=yes` or `no` if the sentinels differ from the servers.
    Raises ValueError for any other URL.
    """
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if scheme not in ("redis", "rediss") or kind not in ("", "sentinel", "cluster"):
        raise ValueError("use redis://, rediss://, redis+sentinel:// or redis+cluster://")
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    access = Access(
        user=unquote(user) or None,
        password=unquote(password) or None,
        tls=scheme == "rediss",
        timeout_s=ASK_ANOTHER_S if kind else DECISION_S,
    )
    default = SENTINEL_PORT if kind == "sentinel" else REDIS_PORT
    places = tuple(_place(x, default) for x in hosts.split(","))
    path = parts.path.strip("/").split("/")
    if kind == "sentinel":
        service, *database = path
        if not service:
            raise ValueError("name the service: redis+sentinel://host:port/service")
        of_sentinels = _sentinel_access(parts.query, access)
        access = _with_database(access, database)
        return RedisUrl("sentinel", places, access, service, of_sentinels)
    if parts.query:
        raise ValueError("only redis+sentinel:// has a query")
    if kind == "cluster":
        return RedisUrl("cluster", places, access)
    if len(places) != 1:
        raise ValueError("several servers are redis+sentinel:// or redis+cluster://")
    return RedisUrl("server", places, _with_database(access, [x for x in path if x]))


def _place(host_and_port: str, default: int) -> Place:
    parts = urlsplit(f"//{host_and_port}")
    return Place(parts.hostname or "127.0.0.1", parts.port or default)


def _sentinel_access(query: str, servers: Access) -> Access:
    options = dict(parse_qsl(query, keep_blank_values=True))
    user = options.pop("sentinel_username", None)
    password = options.pop("sentinel_password", None)
    tls = options.pop("sentinel_tls", "yes" if servers.tls else "no")
    if options or tls not in ("yes", "no"):
        raise ValueError(
            "the query may have sentinel_username, sentinel_password and sentinel_tls (yes or no)"
        )
    return Access(user, password, tls == "yes", ASK_ANOTHER_S)


def _with_database(access: Access, path: list[str]) -> Access:
    if len(path) > 1 or not all(x.isdecimal() for x in path):
        raise ValueError("a database is a number: redis://host:port/0")
    database = int(path[0]) if path else 0
    return Access(access.user, access.password, access.tls, access.timeout_s, database)
