"""A private Redis server for tests, on a free loopback port."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import redis

from tests.support.ports import free_port
from tests.support.programs import redis_server
from tests.support.waiting import START_S


class Redis:
    """One server with persistence (appendonly), so that it can be restarted."""

    def __init__(self, *, appendonly: bool = True) -> None:
        self._appendonly = appendonly
        self._program = redis_server()
        self._directory = Path(tempfile.mkdtemp(prefix="daypass-redis-"))
        self._port = free_port()
        self.process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def port(self) -> int:
        return self._port

    def client(self) -> redis.Redis:
        """Return a client of this server."""
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "dir": str(self._directory),
            "appendonly": "yes" if self._appendonly else "no",
            "appendfsync": "always",
            "save": "",
            "repl-diskless-sync-delay": "0",
        }
        command = [self._program, *(x for k, v in options.items() for x in (f"--{k}", v))]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while True:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
                return
            except redis.RedisError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server, as in a crash."""
        self.process.kill()
        self.process.wait(20)

    def empty(self) -> None:
        """Delete all data."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)


class RedisCluster:
    """A Redis Cluster of three nodes."""

    def __init__(self) -> None:
        self._directories = [Path(tempfile.mkdtemp(prefix="daypass-cluster-")) for _ in range(3)]
        self._ports = [free_port() for _ in range(3)]
        self._bus_ports = [free_port() for _ in range(3)]
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def start(self) -> None:
        """Start the nodes, join them, and wait until they agree that every slot is served."""
        self._processes = [self._start_node(number) for number in range(3)]
        addresses = [f"127.0.0.1:{port}" for port in self._ports]
        clients = [redis.Redis(port=port) for port in self._ports]
        try:
            for client in clients:
                _until(client.ping)
            join = ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"]
            subprocess.run(join, check=True, stdout=subprocess.DEVNULL, timeout=60)
            for client in clients:
                _until(partial(_serves_every_slot, client))
        finally:
            for client in clients:
                client.close()

    def add_replica(self, number: int) -> None:
        """Start a fourth node, a replica that takes over when this node fails."""
        self._ports.append(free_port())
        self._bus_ports.append(free_port())
        self._directories.append(Path(tempfile.mkdtemp(prefix="daypass-cluster-")))
        self._processes.append(self._start_node(3))
        with self.client(3) as client, self.client(number) as master:
            _until(client.ping)
            meet = ("CLUSTER", "MEET", "127.0.0.1", self._ports[number], self._bus_ports[number])
            client.execute_command(*meet)
            _until(lambda: client.execute_command("CLUSTER", "REPLICATE", self._id(number)))
            _until(lambda: master.info("replication")["slave0"]["state"] == "online")
        for place in range(4):
            with self.client(place) as node:
                node.config_set("cluster-node-timeout", 500)

    def client(self, number: int) -> redis.Redis:
        """Return a client of one node that follows no redirections."""
        return redis.Redis(port=self._ports[number])

    def begin_to_move(self, slot: int) -> tuple[int, int]:
        """Start migrating a slot; return the numbers of the source and target nodes."""
        ids = [self._id(number) for number in range(3)]
        source = self._server_of(slot)
        target = (source + 1) % 3
        with self.client(target) as client:
            client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        with self.client(source) as client:
            client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
        return source, target

    def move_keys(self, slot: int, source: int, target: int, pattern: str = "*") -> list[str]:
        """Move a slot's keys that match a pattern; return their names."""
        with self.client(source) as client:
            names = [
                name.decode()
                for name in client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1000)
                if fnmatch(name.decode(), pattern)
            ]
            for name in names:
                client.execute_command("MIGRATE", "127.0.0.1", self._ports[target], name, 0, 5000)
        return names

    def finish_moving(self, slot: int, target: int) -> None:
        """Assign the slot to its new node, and wait until all nodes know."""
        for number in (target, *(x for x in range(3) if x != target)):
            with self.client(number) as client:
                client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", self._id(target))
        _until(lambda: self._server_of(slot) == target)

    def _id(self, number: int) -> str:
        with self.client(number) as client:
            name: bytes = client.execute_command("CLUSTER", "MYID")
            return name.decode() if isinstance(name, bytes) else name

    def _server_of(self, slot: int) -> int:
        with self.client(0) as client:
            for low, high, (_, port, *_), *_ in client.execute_command("CLUSTER", "SLOTS"):
                if low <= slot <= high:
                    return self._ports.index(port)
        raise RuntimeError(f"no node serves slot {slot}")

    def kill(self, number: int) -> None:
        """Kill one of the nodes, as in a crash."""
        self._processes[number].kill()
        self._processes[number].wait(20)

    def stop(self, number: int) -> None:
        """Suspend one of the nodes."""
        self._processes[number].send_signal(signal.SIGSTOP)

    def restart(self, number: int, *, wait: bool = True) -> None:
        """Start a node that was killed, and wait until it sees that every slot is served."""
        self._processes[number] = self._start_node(number)
        if not wait:
            return
        with redis.Redis(port=self._ports[number]) as client:
            _until(partial(_serves_every_slot, client))

    def _start_node(self, number: int) -> subprocess.Popen[bytes]:
        options = {
            "port": str(self._ports[number]),
            "bind": "127.0.0.1",
            "dir": str(self._directories[number]),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "cluster-enabled": "yes",
            # The default is the port and 10000 more, which may be taken or too large.
            "cluster-port": str(self._bus_ports[number]),
        }
        command = [redis_server(), *(x for k, v in options.items() for x in (f"--{k}", v))]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def remove(self) -> None:
        """Stop the nodes and delete their data."""
        for process in self._processes:
            process.kill()
            process.wait(20)
        for directory in self._directories:
            shutil.rmtree(directory, ignore_errors=True)


def _serves_every_slot(client: redis.Redis) -> bool:
    info = client.cluster("info")
    return bool(info["cluster_state"] == "ok")


def _until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; error replies count as false."""
    deadline = time.monotonic() + START_S
    while True:
        with contextlib.suppress(redis.RedisError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise RuntimeError("the Redis Cluster did not come up")
        time.sleep(0.05)


class Sentinel:
    """A sentinel that knows one Redis server under the name `daypass`."""

    def __init__(self, server: Redis) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="daypass-sentinel-"))
        self._port = free_port()
        host_and_port = server.url.removeprefix("redis://").partition("/")[0].replace(":", " ")
        self._config = self._directory / "sentinel.conf"
        self._config.write_text(
            f"port {self._port}\nbind 127.0.0.1\ndir {self._directory}\n"
            f"sentinel monitor daypass {host_and_port} 1\n"
        )
        self._process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self._port}/daypass"

    def start(self) -> None:
        """Start the sentinel and wait until it answers."""
        command = [redis_server(), str(self._config), "--sentinel"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with redis.Redis(port=self._port) as client:
            _until(client.ping)

    def remove(self) -> None:
        """Stop the sentinel and delete its data."""
        self._process.kill()
        self._process.wait(20)
        shutil.rmtree(self._directory, ignore_errors=True)
