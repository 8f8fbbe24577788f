"""A private PostgreSQL server for tests, on a free loopback port."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support import programs
from tests.support.ports import free_port
from tests.support.waiting import START_S

SUPERUSER = "daypass"
NOBODY = "nobody"


class Postgres:
    """One server, with its own data directory."""

    def __init__(self, directory: Path | None = None, standby_of: "Postgres | None" = None) -> None:
        """Use a new directory by default; start empty, or as a standby of another server."""
        self._programs = programs.postgres()
        self._directory = directory or Path(tempfile.mkdtemp(prefix="daypass-postgres-"))
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(self._directory, NOBODY)
        if standby_of is not None:
            backup = [str(self._programs / "pg_basebackup"), "-D", str(self._data)]
            options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
            self._run([*backup, *options, "-d", standby_of.url()])
            return
        initdb = [str(self._programs / "initdb"), "-D", str(self._data), "-U", SUPERUSER]
        self._run([*initdb, "--auth=trust", "--no-sync", "--encoding=UTF8"])

    @property
    def port(self) -> int:
        return self._port

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {
            "port": str(self._port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._directory),
        }
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(self._as_nobody(command), stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def promote(self) -> None:
        """Promote a standby to the primary."""
        self._run([str(self._programs / "pg_ctl"), "-D", str(self._data), "promote"])

    def kill(self) -> None:
        """Kill the server, as in a crash."""
        if self._process is not None:
            self._run(
                [str(self._programs / "pg_ctl"), "-D", str(self._data), "-m", "immediate", "stop"]
            )
            self._process.wait(20)
            self._process = None

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def create_database(self, name: str) -> str:
        """Create an empty database and return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def _run(self, command: list[str]) -> None:
        subprocess.run(self._as_nobody(command), check=True, stdout=subprocess.DEVNULL)

    def _as_nobody(self, command: list[str]) -> list[str]:
        """PostgreSQL refuses to run as root."""
        return ["runuser", "-u", NOBODY, "--", *command] if os.geteuid() == 0 else command
