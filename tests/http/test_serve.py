"""`daypass serve` as processes: signals, workers, restarts, and the lock on the data directory."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from daypass.http.listener import listen, stop_new_connections
from tests.conftest import (
    DAYPASS,
    Server,
    StartServer,
    clean_environment,
    daypass,
    serve_on,
)
from tests.support.ports import free_port
from tests.support.programs import nginx
from tests.support.waiting import BUSY_S, until

NGINX = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
worker_processes 1;
events {{}}
http {{
  access_log {directory}/access.log;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  upstream daypass {{
    # By default 10s. The grace of the servers is longer here as well.
    server 127.0.0.1:{first} fail_timeout=1s;
    server 127.0.0.1:{second} fail_timeout=1s;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://daypass; }}
  }}
}}
"""


def workers_of(supervisor: int) -> list[int]:
    """Return the process ids of a supervisor's workers, recognised by spawn's main function."""
    pids = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = (status.parent / "cmdline").read_bytes()
            if parent == supervisor and b"spawn_main" in command:
                pids.append(int(status.parent.name))
    return pids


def _kill(processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def answers(server: Server) -> int:
    """Return the status of `/readyz`, or 0 if nothing is listening."""
    try:
        return httpx.get(f"{server.url}/readyz").status_code
    except httpx.TransportError:
        return 0


def gauge(server: Server, name: str) -> float:
    exposition = httpx.get(f"{server.url}/metrics").text
    return float(re.findall(rf"^{name} (\S+)$", exposition, re.MULTILINE)[0])


def test_workers_are_replaced_and_exit_with_their_supervisor(start: StartServer) -> None:
    server = start("--workers", "2")
    until(lambda: gauge(server, "daypass_tasks") > 0)
    shared = server.data_dir / "metrics"
    until(lambda: len(list(shared.glob("*.json"))) == 2)
    first, second = workers_of(server.process.pid)
    tasks = gauge(server, "daypass_tasks")

    os.kill(first, signal.SIGKILL)
    until(lambda: len(list(shared.glob("*.json"))) == 3)
    assert "worker_ended" in server.log()
    # Requests that the dead worker had open are no longer shown.
    until(lambda: gauge(server, "daypass_tasks") < tasks * 1.4)

    orphans = workers_of(server.process.pid)
    server.process.kill()
    server.process.wait()
    killed_at = time.monotonic()
    try:
        until(lambda: answers(server) == 0)
        assert time.monotonic() - killed_at < 2 + BUSY_S
        until(lambda: not Path(f"/proc/{second}").exists())
    finally:
        _kill(orphans)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_reloads_settings_and_keeps_the_old_ones_on_errors(
    start: StartServer, tmp_path: Path, workers: str
) -> None:
    server = start("--workers", workers)
    file = tmp_path / "daypass.toml"
    until(lambda: len(list((server.data_dir / "metrics").glob("*.json"))) == int(workers))

    def sign_up() -> str:
        return str(httpx.get(f"{server.url}/api/site").json()["sign_up"])

    file.write_text("sign_up = 'nonsense'")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.log().count("reload_refused") == int(workers))
    assert sign_up() == "open"
    file.write_text("sign_up = 'invite'")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.log().count("reloaded") == int(workers))
    assert {sign_up() for _ in range(8)} == {"invite"}
    assert server.process.poll() is None

    # A second interrupt stops it at once, without a traceback.
    server.process.send_signal(signal.SIGINT)
    server.process.send_signal(signal.SIGINT)
    server.process.wait(20)
    assert "Traceback" not in server.log()


@contextlib.contextmanager
def starting(directory: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A server that has just been started, its port, and its log."""
    port, log_path = free_port(), directory / "log"
    with (
        log_path.open("w") as log,
        subprocess.Popen(
            [*DAYPASS, "serve", "--port", str(port), *options],
            env=clean_environment(DAYPASS_DATA_DIR=str(directory / "data")),
            cwd=directory,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield process, port, log_path
        finally:
            process.kill()


def test_a_reload_requested_during_startup_takes_effect(tmp_path: Path) -> None:
    with starting(tmp_path) as (process, _, log):
        until(lambda: _handles(process.pid, signal.SIGHUP))
        process.send_signal(signal.SIGHUP)  # Must not stop it.
        until(lambda: '"started"' in log.read_text())
        process.send_signal(signal.SIGHUP)
        until(lambda: '"reloaded"' in log.read_text())


def test_an_interrupt_during_startup_prints_one_line(tmp_path: Path) -> None:
    with starting(tmp_path) as (process, _, log):
        # It ignores SIGHUP first, and then imports modules for a second.
        until(lambda: _handles(process.pid, signal.SIGHUP))
        process.send_signal(signal.SIGINT)
        process.wait(20)
        assert log.read_text() == "daypass: interrupted\n"


@pytest.mark.serial
def test_starting_workers_exit_with_their_supervisor(tmp_path: Path) -> None:
    with starting(tmp_path, "--workers", "2") as (process, port, log):
        until(lambda: log.read_text().count("worker_started") == 2)
        workers = workers_of(process.pid)
        process.kill()
        killed_at = time.monotonic()
        try:
            until(lambda: not _is_up(port))
            # They have two seconds, and need not finish starting.
            assert time.monotonic() - killed_at < 1
        finally:
            _kill(workers)
        assert "Traceback" not in log.read_text()


def _handles(process: int, number: signal.Signals) -> bool:
    """Return whether a process ignores a signal or has a handler for it."""
    status = Path(f"/proc/{process}/status").read_text()
    masks = re.findall(r"^Sig(?:Ign|Cgt):\s*(\w+)$", status, re.MULTILINE)
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


def test_a_stopping_server_is_not_ready_but_serves_during_the_grace_period(
    start: StartServer,
) -> None:
    server = start(DAYPASS_SHUTDOWN_GRACE_S="60")
    with server.client() as kept:
        assert kept.get("/healthz").headers.get("connection") is None
        server.process.terminate()
        until(lambda: answers(server) == 503)
        answer = kept.get("/healthz")
    assert answer.status_code == 200
    assert answer.headers["connection"] == "close"
    server.process.terminate()  # A second signal ends the grace period.
    server.process.wait(20)
    assert server.process.returncode == 0


def test_a_second_server_on_a_data_directory_must_join(start: StartServer, demo: Server) -> None:
    server = demo
    key = server.sign_up().create_key()["key"]
    with server.gateway(key) as api:
        body = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
        assert api.post("/v1/chat/completions", json=body).status_code == 200
    (counted,) = re.findall(
        r'^daypass_requests_total\{outcome="counted",status="200"\} \S+$',
        httpx.get(f"{server.url}/metrics").text,
        re.MULTILINE,
    )
    data = {"DAYPASS_DATA_DIR": str(server.data_dir)}
    second = daypass("serve", "--port", "0", **data)
    assert second.returncode == 2
    assert second.stderr.startswith(f"daypass: another server uses {server.data_dir}: ")
    assert second.stderr.count("\n") == 1
    beside = start("--join", **data)
    assert counted in httpx.get(f"{beside.url}/metrics").text


def test_stopping_new_connections_keeps_those_in_the_backlog() -> None:
    (listener,) = listen("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname()) as waiting:
        stop_new_connections(listener)
        waiting.sendall(b"sent before it is accepted")
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(100) == b"sent before it is accepted"
        if not may_filter_sockets():
            pytest.skip("this kernel lets only root attach socket filters")
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.2)


def may_filter_sockets() -> bool:
    """Try a one-instruction filter that accepts everything: `BPF_RET | BPF_K`."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 2**32 - 1))
    pointer = struct.pack("HP", 1, ctypes.addressof(program))
    with socket.socket() as tried:
        try:
            tried.setsockopt(socket.SOL_SOCKET, 26, pointer)  # SO_ATTACH_FILTER
        except OSError:
            return False
    return True


def test_an_unavailable_listen_address_is_reported_in_one_line(
    demo: Server, tmp_path: Path
) -> None:
    port = demo.url.rpartition(":")[2]
    for arguments, said in (
        (("--port", port), f"cannot listen on 127.0.0.1 port {port}: Address already in use"),
        (("--host", "no.such.host.invalid"), "cannot listen on no.such.host.invalid port 8000: "),
        (("--host", "a" * 70 + ".example"), "this is no host name"),
    ):
        ended = daypass("serve", *arguments, DAYPASS_DATA_DIR=str(tmp_path / "data"))
        assert ended.returncode == 2, ended.stderr
        assert said in ended.stderr
        assert ended.stderr.count("\n") == 1


@pytest.fixture
def two_behind_nginx(start: StartServer, tmp_path: Path) -> Iterator[tuple[Server, Server, str]]:
    """Two servers on one data directory, and the address of an nginx with its default settings."""
    plan = "[[plans]]\nid='many'\nname='Many'\nrequests_per_day=1000000\n"
    (tmp_path / "daypass.toml").write_text(plan)
    grace = {"DAYPASS_SHUTDOWN_GRACE_S": "1.5"}
    first = start(**grace)
    second = start("--join", **grace)
    port = free_port()
    ports = [server.url.rpartition(":")[2] for server in (first, second)]
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        NGINX.format(directory=tmp_path, port=port, first=ports[0], second=ports[1])
    )
    process = subprocess.Popen([nginx(), "-p", str(tmp_path), "-c", str(configuration)])
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _is_up(port))
        yield first, second, url
    finally:
        process.terminate()
        process.wait(10)


def _is_up(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_rolling_restart_behind_nginx_loses_no_request(
    two_behind_nginx: tuple[Server, Server, str], tmp_path: Path
) -> None:
    first, second, url = two_behind_nginx
    key = first.sign_up().create_key("many")["key"]
    started: list[Server] = []
    statuses: list[int] = []
    is_over = threading.Event()

    def call() -> None:
        # A POST: nginx sends it to another server only if it has not been sent yet.
        body = {"model": "demo", "input": "x"}
        with httpx.Client(headers={"x-api-key": key}, timeout=30) as api:
            while not is_over.is_set():
                statuses.append(api.post(f"{url}/v1/embeddings", json=body).status_code)

    def more_than(number: int) -> Callable[[], bool]:
        return lambda: len(statuses) > number

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    try:
        for server in (first, second):
            port = int(server.url.rpartition(":")[2])
            until(more_than(len(statuses) + 50))
            server.stop()
            assert server.process.returncode == 0
            until(more_than(len(statuses) + 50))
            if server is first:
                started.append(serve_on(port, tmp_path, ("--join",), server.settings))
    finally:
        is_over.set()
        for caller in callers:
            caller.join()
        for server in started:
            server.stop()
    assert set(statuses) == {200}, {status: statuses.count(status) for status in set(statuses)}
