"""A master, its replicas and three sentinels, for tests that fail over for real."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import redis

from tests.support.ports import free_port
from tests.support.programs import redis_server
from tests.support.waiting import until

SERVICE = "daypass"
DOWN_AFTER_MS = 500


class Secured(NamedTuple):
    """Protection of servers and sentinels: passwords, and TLS with a certificate."""

    password: str
    sentinel_password: str
    certificate: Path
    authority: Path

    def lines(self, password: str) -> list[str]:
        """Return the configuration lines of a server or sentinel."""
        return [
            f"requirepass {password}",
            f"tls-cert-file {self.certificate}",
            f"tls-key-file {self.certificate}",
            f"tls-ca-cert-file {self.authority}",
            "tls-auth-clients no",
            "tls-replication yes",
        ]

    def options(self, password: str) -> dict[str, Any]:
        """Return the options of a client."""
        return {"password": password, "ssl": True, "ssl_ca_certs": str(self.authority)}


class Program:
    """One redis-server process, with its own directory."""

    def __init__(
        self, directory: Path, port: int, arguments: Sequence[str], options: dict[str, Any]
    ) -> None:
        """Take the options of its clients."""
        self._directory = directory
        self._arguments = arguments
        self._options = options
        self.port = port
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self._directory.mkdir(exist_ok=True)
        command = [redis_server(), *self._arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self._directory)
        until(self._answers)

    def client(self) -> redis.Redis:
        """Return a client of this process."""
        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=5, **self._options)

    def kill(self) -> None:
        """Kill the process, as in a crash."""
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        """Suspend the process."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Resume the process."""
        os.kill(self.process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False


class Sentinels:
    """Two servers, one of them the master, and three sentinels that watch them."""

    def __init__(self, secured: Secured | None = None) -> None:
        self._secured = secured
        self._root = Path(tempfile.mkdtemp(prefix="daypass-sentinels-"))
        ports = [free_port() for _ in range(5)]
        first = ports[0]
        self.servers = [self._server(port, None if port == first else first) for port in ports[:2]]
        self.sentinels = [self._sentinel(port, first) for port in ports[2:]]

    @property
    def url(self) -> str:
        return self.url_of([sentinel.port for sentinel in self.sentinels])

    def url_of(self, ports: list[int]) -> str:
        """Return the URL for sentinels on these ports."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        if self._secured is None:
            return f"redis+sentinel://{hosts}/{SERVICE}"
        password, sentinel_password, *_ = self._secured
        query = f"sentinel_password={sentinel_password}"
        return f"rediss+sentinel://:{password}@{hosts}/{SERVICE}?{query}"

    @property
    def master(self) -> Program:
        """Return the server that a majority of the sentinels considers the master."""
        votes = [self._vote(sentinel) for sentinel in self.sentinels]
        ports = [port for port in votes if votes.count(port) > len(votes) // 2]
        return next(server for server in self.servers if server.port in ports)

    @property
    def replica(self) -> Program:
        """Return the other server."""
        master = self.master
        return next(server for server in self.servers if server is not master)

    @property
    def fail_overs(self) -> int:
        """Return the number of fail-overs so far."""
        with self.sentinels[0].client() as client:
            return int(client.sentinel_master(SERVICE)["config-epoch"])

    def start(self) -> None:
        """Start all processes, and wait until every sentinel knows the replica and the others."""
        for program in (*self.servers, *self.sentinels):
            program.start()
        until(self._is_ready, within_s=60)

    def fail_over(self) -> None:
        """Start a planned fail-over to the replica."""
        before = self.master.port
        until(self._asks_for_a_fail_over)
        until(lambda: self._is_elsewhere(before))

    def await_another_than(self, port: int) -> None:
        """Wait until a majority of the sentinels names another master."""
        until(lambda: self._is_elsewhere(port))

    def let_the_replica_lag(self) -> None:
        """Disconnect the replica from the master permanently, with its current data."""
        with self.master.client() as client:
            client.wait(1, 5000)
            client.execute_command("ACL", "SETUSER", "default", "-psync", "-sync")
            client.execute_command("CLIENT", "KILL", "TYPE", "replica")

    def remove(self) -> None:
        """Stop all processes and delete their data."""
        for program in (*self.servers, *self.sentinels):
            with contextlib.suppress(AttributeError):
                program.kill()
        shutil.rmtree(self._root, ignore_errors=True)

    def _server(self, port: int, master: int | None) -> Program:
        lines = [
            *self._listening(port),
            'save ""',
            "repl-diskless-sync yes",
            "repl-diskless-sync-delay 0",
        ]
        if master is not None:
            lines.append(f"replicaof 127.0.0.1 {master}")
        password = ""
        if self._secured is not None:
            password = self._secured.password
            lines += [*self._secured.lines(password), f"masterauth {password}"]
        return self._written(port, lines, password)

    def _sentinel(self, port: int, master: int) -> Program:
        lines = [
            *self._listening(port),
            f"sentinel monitor {SERVICE} 127.0.0.1 {master} 2",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 1000",
        ]
        password = ""
        if self._secured is not None:
            password = self._secured.sentinel_password
            lines += self._secured.lines(password)
            lines.append(f"sentinel auth-pass {SERVICE} {self._secured.password}")
            lines.append(f"sentinel sentinel-pass {password}")
        return self._written(port, lines, password, "--sentinel")

    def _listening(self, port: int) -> list[str]:
        ports = [f"port {port}"] if self._secured is None else ["port 0", f"tls-port {port}"]
        return [*ports, "bind 127.0.0.1"]

    def _written(self, port: int, lines: list[str], password: str, *more: str) -> Program:
        directory = self._root / str(port)
        directory.mkdir()
        config = directory / "redis.conf"
        config.write_text("\n".join((*lines, "")))
        options = {} if self._secured is None else self._secured.options(password)
        return Program(directory, port, [str(config), *more], options)

    def _vote(self, sentinel: Program) -> int:
        with contextlib.suppress(redis.RedisError), sentinel.client() as client:
            host_and_port = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
            return int(host_and_port[1])
        return 0

    def _is_elsewhere(self, port: int) -> bool:
        votes = [self._vote(sentinel) for sentinel in self.sentinels]
        return any(votes.count(x) > len(votes) // 2 for x in votes if x not in (0, port))

    def _asks_for_a_fail_over(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.sentinels[0].client() as client:
            return bool(client.execute_command("SENTINEL", "FAILOVER", SERVICE))
        return False

    def _is_ready(self) -> bool:
        with contextlib.suppress(redis.RedisError, StopIteration):
            for sentinel in self.sentinels:
                with sentinel.client() as client:
                    facts = client.sentinel_master(SERVICE)
                    if int(facts["num-slaves"]) < 1 or int(facts["num-other-sentinels"]) < 2:
                        return False
                    (replica, *_) = client.sentinel_slaves(SERVICE)
                    if replica["flags"] != "slave":
                        return False
            # The replica's own word is not enough: the master counts it only once it has
            # acknowledged something.
            with self.master.client() as client:
                client.set("in-sync", 1, px=1)
                return bool(client.wait(1, 100) == 1)
        return False
