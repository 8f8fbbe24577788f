"""A private Redis server for tests: found or installed, on a free loopback port."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import redis
from tests.ports import free_port


def find_program() -> str:
    """The Redis server program; Debian's package is installed for root."""
    found = shutil.which("redis-server")
    if found is None and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        install = ["apt-get", "install", "-y", "-qq", "redis-server"]
        subprocess.run(install, check=True, env=environment, stdout=subprocess.DEVNULL)
        found = shutil.which("redis-server")
    if found is None:
        raise RuntimeError("install Debian's package redis-server, which these tests need")
    return found


class Redis:
    """One server that keeps what it is told (appendonly), so that it can be restarted."""

    def __init__(self) -> None:
        self._program = find_program()
        self._directory = Path(tempfile.mkdtemp(prefix="daypass-redis-"))
        self._port = free_port()
        self.process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "dir": str(self._directory),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
        }
        command = [self._program, *(x for k, v in options.items() for x in (f"--{k}", v))]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
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
        """End the server at once, as a crash would."""
        self.process.kill()
        self.process.wait(20)

    def empty(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def remove(self) -> None:
        """End the server and delete what it held."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)
