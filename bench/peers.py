"""The gateways that are compared, each in its leanest fair configuration."""

import contextlib
import json
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.ports import free_port
from tests.support.programs import program, redis_server

from bench import install
from bench.daypass_site import make_site
from bench.machine import GATEWAY_CORES, LOAD_CORES
from bench.process import BenchError, Process, clean_environment
from bench.upstream import completion_body

ROOT = Path(__file__).parents[1]
UPSTREAM_KEY = "sk-upstream"
MASTER_KEY = "sk-bench-0123456789"


@dataclass
class Peer:
    """A gateway that listens on loopback; `process` is None where there is no gateway."""

    port: int
    process: Process | None
    headers: list[dict[str, str]] = field(default_factory=lambda: [{}])
    """A set for each key in use; the requests take them in turn."""
    exact: bool = True
    """Whether it passes each event on as one event, rather than writing events of its own."""
    store: Process | None = None
    """A store beside it, whose CPU time is reported separately."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Run it within, and only within, so that peers do not disturb each other."""
        with self.process.awake() if self.process else contextlib.nullcontext():
            yield


def answering(peer: Peer) -> Peer:
    """Return this peer, suspended, once it has answered a completion. The first may be slow.

    Raises BenchError.
    """
    request = urllib.request.Request(
        f"{peer.url}/v1/chat/completions",
        data=completion_body(),
        headers={"content-type": "application/json"} | peer.headers[0],
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
    except (OSError, ValueError) as error:
        raise BenchError(f"{peer.url} does not answer: {error}") from error
    if not answer.get("choices"):
        raise BenchError(f"{peer.url} answers strangely: {answer}")
    if peer.process is not None:
        peer.process.suspend()
    return peer


class Stage:
    """Starts the upstream and the peers, and ends them all at the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        port = free_port()
        command = [sys.executable, "-m", "bench.upstream", "--port", str(port)]
        process = self.start("upstream", command, LOAD_CORES, {"PYTHONPATH": str(ROOT)})
        process.wait_until_ready(f"http://127.0.0.1:{port}/v1/models")
        self.upstream = Peer(port, None)

    def directory(self, name: str) -> Path:
        """A new directory."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._root))

    def start(
        self,
        where: str | Path,
        command: list[str],
        cores: set[int] = GATEWAY_CORES,
        settings: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a process in a directory, or in a new one of this name."""
        directory = self.directory(where) if isinstance(where, str) else where
        process = Process(command, directory, cores, clean_environment(**settings or {}))
        self._stack.callback(process.stop)
        return process


def direct(stage: Stage) -> Peer:
    """No gateway: the mock upstream itself."""
    return stage.upstream


def nginx(stage: Stage) -> Peer:
    """One worker, kept-alive connections to the upstream, no log, nothing buffered."""
    directory, port = stage.directory("nginx"), free_port()
    config = directory / "nginx.conf"
    config.write_text(NGINX.format(directory=directory, port=port, upstream=stage.upstream.port))
    command = [program("nginx"), "-c", str(config), "-p", str(directory)]
    process = stage.start(directory, command)
    process.wait_until_ready(f"http://127.0.0.1:{port}/v1/models")
    return answering(Peer(port, process))


NGINX = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream mock {{
        server 127.0.0.1:{upstream};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


def naive(stage: Stage) -> Peer:
    """FastAPI and httpx under uvicorn with uvloop and httptools, one worker."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.naive:app", "--port", str(port)]
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    settings = {"UPSTREAM": stage.upstream.url, "PYTHONPATH": str(ROOT)}
    process = stage.start("naive", [*command, *options], settings=settings)
    process.wait_until_ready(f"http://127.0.0.1:{port}/v1/models")
    return answering(Peer(port, process))


def litellm(stage: Stage) -> Peer:
    """The proxy with a master key, no database, no telemetry, one worker."""
    directory, port = stage.directory("litellm"), free_port()
    config = directory / "config.yaml"
    config.write_text(LITELLM.format(upstream=stage.upstream.url, key=UPSTREAM_KEY))
    command = [install.litellm(), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1", "--telemetry", "False"]
    settings = {
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_LOG": "ERROR",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "DISABLE_ADMIN_UI": "True",
        "NO_DOCS": "True",
    }
    process = stage.start(directory, command, settings=settings)
    process.wait_until_ready(f"http://127.0.0.1:{port}/health/liveliness", timeout_s=180)
    return answering(Peer(port, process, [{"authorization": f"Bearer {MASTER_KEY}"}], exact=False))


LITELLM = """\
model_list:
  - model_name: gpt-4o-mini
    litellm_params:
      model: openai/gpt-4o-mini
      api_base: {upstream}/v1
      api_key: {key}
litellm_settings:
  telemetry: false
  set_verbose: false
general_settings:
  disable_spend_logs: true
"""


def portkey(stage: Stage) -> Peer:
    """The open-source gateway on Node.js, given the upstream's address in headers."""
    port = free_port()
    command = [*install.portkey(), f"--port={port}", "--headless"]
    process = stage.start("portkey", command, settings={"NODE_ENV": "production"})
    process.wait_until_ready(f"http://127.0.0.1:{port}/")
    headers = {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"{stage.upstream.url}/v1",
        "authorization": f"Bearer {UPSTREAM_KEY}",
    }
    return answering(Peer(port, process, [headers]))


def daypass(
    stage: Stage,
    *,
    keys: int = 100,
    used: int = 32,
    workers: int = 1,
    on_redis: bool = False,
    python: str = sys.executable,
) -> Peer:
    """The full product: key check, exact durable quota, usage records, receipts."""
    directory, port = stage.directory("daypass"), free_port()
    secrets = make_site(directory, keys, used)
    settings = {
        "DAYPASS_UPSTREAM_BASE_URL": f"{stage.upstream.url}/v1",
        "DAYPASS_UPSTREAM_API_KEY": UPSTREAM_KEY,
    }
    store = None
    if on_redis:
        store, settings["DAYPASS_REDIS_URL"] = redis(stage)
    command = [python, "-m", "daypass", "serve", "--port", str(port), "--workers", str(workers)]
    process = stage.start(directory, command, settings=settings)
    process.wait_until_ready(f"http://127.0.0.1:{port}/readyz")
    return answering(
        Peer(port, process, [{"x-api-key": secret} for secret in secrets], store=store)
    )


def redis(stage: Stage) -> tuple[Process, str]:
    """Start a Redis that syncs each write to its file before it replies."""
    port = free_port()
    command = [redis_server(), "--port", str(port), "--bind", "127.0.0.1"]
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    process = stage.start("redis", [*command, *durable], LOAD_CORES)
    process.wait_until_listening(port)
    return process, f"redis://127.0.0.1:{port}/0"


PEERS: dict[str, Callable[[Stage], Peer]] = {
    "direct": direct,
    "nginx": nginx,
    "naive": naive,
    "litellm": litellm,
    "portkey": portkey,
    "daypass": daypass,
    "daypass-redis": partial(daypass, on_redis=True),
}
