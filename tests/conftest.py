"""Fixtures with real parts: server processes, an upstream, people with accounts and keys."""

import itertools
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest

from tests.support.mailbox import Mailbox
from tests.support.ministack import Ministack
from tests.support.moto import Moto
from tests.support.oidc import OidcProvider
from tests.support.outputs import OUTPUTS
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.sentinels import Sentinels
from tests.support.upstream import FakeUpstream
from tests.support.waiting import START_S

PASSWORD = "planted-password of a person"
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
DAYPASS = (sys.executable, "-m", "daypass")

_numbers = itertools.count(1)


@dataclass
class Person:
    """A signed-in person with an account."""

    http: httpx.Client
    email: str

    def create_key(self, plan: str = "10RequestPerDay", name: str = "laptop") -> dict[str, Any]:
        response = self.http.post("/api/api-keys", json={"name": name, "usage_plan_id": plan})
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    def keys(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.http.get("/api/api-keys").json()
        return listed


@dataclass
class Server:
    """A `daypass serve` process."""

    process: subprocess.Popen[str]
    url: str
    data_dir: Path
    log_path: Path
    settings: dict[str, str]
    gateway_root: str = ""
    """Address below which clients find `/v1`, if it is not this server's."""

    def client(self, **options: Any) -> httpx.Client:
        headers = {"origin": self.url} | options.pop("headers", {})
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **options)

    def sign_up(self) -> Person:
        http = self.client()
        email = f"person{next(_numbers)}@example.org"
        response = http.post("/api/accounts", json={"email": email, "password": PASSWORD})
        assert response.status_code == 201, response.text
        OUTPUTS.plant(*http.cookies.values())
        return Person(http, email)

    def setup_token(self) -> str:
        """The token of the set-up link that the server printed when it started."""
        (token,) = re.findall(r"/setup/#(\w+)$", self.log(), re.MULTILINE)
        OUTPUTS.plant(str(token))
        return str(token)

    def set_up(self) -> Person:
        """Create the operator, by the link that the server printed."""
        http = self.client()
        email = f"operator{next(_numbers)}@example.org"
        new = {"token": self.setup_token(), "email": email, "password": PASSWORD}
        response = http.post("/api/setup", json=new)
        assert response.status_code == 201, response.text
        OUTPUTS.plant(*http.cookies.values())
        return Person(http, email)

    def gateway(self, key: str) -> httpx.Client:
        root = self.gateway_root or self.url
        return httpx.Client(base_url=root, headers={"x-api-key": key}, timeout=30)

    def used(self, key: str) -> int:
        """Return a key's usage of its first limit, as the gateway reports it."""
        with self.gateway(key) as api:
            count: int = api.get("/v1/key").json()["limits"][0]["used"]
        return count

    def log(self) -> str:
        return self.log_path.read_text()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)


StartServer = Callable[..., Server]


def clean_environment(**settings: str) -> dict[str, str]:
    """Return the environment of a new user: only these Daypass settings."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return environment | settings


def daypass(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the `daypass` command and wait for it to exit."""
    ended = subprocess.run(
        [*DAYPASS, *arguments],
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # Only four commands print a secret: a new key, a new admin token, and two kinds of link.
    shows_secret = arguments[:1] == ("setup-link",) or arguments[:2] in (
        ("keys", "create"),
        ("tokens", "create"),
        ("accounts", "reset-password"),
    )
    printed = "" if shows_secret else ended.stdout
    OUTPUTS.plant(*re.findall(r"/setup/#(\w+)", ended.stdout))
    OUTPUTS.plant(*re.findall(r"/reset-password/#token=([\w.-]+)", ended.stdout))
    OUTPUTS.add(f"daypass {' '.join(arguments)}", printed + ended.stderr)
    return ended


def start_server(directory: Path, *options: str, **settings: str) -> Server:
    """Start `daypass serve` on a free port and wait until it is ready."""
    return serve_on(free_port(), directory, options, settings)


def serve_on(
    port: int,
    directory: Path,
    options: Sequence[str],
    settings: dict[str, str],
    program: Sequence[str] = DAYPASS,
) -> Server:
    """Start `daypass serve` on this port and wait until it is ready."""
    at_once = {"DAYPASS_SHUTDOWN_GRACE_S": "0"}
    settings = {"DAYPASS_DATA_DIR": str(directory / "data")} | at_once | settings
    log_path = OUTPUTS.file(f"server-{port}.log")
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [*program, "serve", "--port", str(port), *options],
            env=clean_environment(**settings),
            cwd=directory,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
    server = Server(
        process, f"http://127.0.0.1:{port}", Path(settings["DAYPASS_DATA_DIR"]), log_path, settings
    )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended:\n{server.log()}")
        try:
            if httpx.get(f"{server.url}/readyz").status_code == 200:
                return server
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    server.stop()
    raise AssertionError(f"the server is not ready:\n{server.log()}")


def start_behind_aws(directory: Path, ministack: Ministack, **settings: str) -> Server:
    """Start `daypass serve` behind a stage that `daypass aws deploy` has just created."""
    port = free_port()
    settings = {"DAYPASS_DATA_DIR": str(directory / "data")} | ministack.settings | settings
    origin, stack = f"http://127.0.0.1:{port}", f"daypass-{port}"
    deployed = daypass("aws", "deploy", "--origin", origin, "--stack", stack, **settings)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    (rest_api_id,) = re.findall(r"DAYPASS_AWS_REST_API_ID=(\w+)", deployed.stdout)
    root = ministack.stage_root(rest_api_id)
    settings |= {
        "DAYPASS_ENFORCER": "aws",
        "DAYPASS_AWS_REST_API_ID": rest_api_id,
        "DAYPASS_AWS_BASE_URL": f"{root}/v1",
    }
    server = serve_on(port, directory, (), settings)
    server.gateway_root = root
    return server


@pytest.fixture(scope="session", autouse=True)
def no_secret_was_printed() -> Iterator[None]:
    """Check at the end of the suite that no Daypass process printed a secret."""
    yield
    assert OUTPUTS.secrets() == []


def pytest_collection_finish(session: pytest.Session) -> None:
    """Reject duplicate test names: pytest-xdist would silently run them as one."""
    names = Counter(item.nodeid for item in session.items)
    twice = [name for name, count in names.items() if count > 1]
    if twice and hasattr(session.config, "workerinput"):
        raise pytest.UsageError(f"mark as serial what has no name of its own: {twice}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Search the output of code that runs inside the tests, too."""
    OUTPUTS.add(report.nodeid, report.capstdout + report.capstderr + report.caplog)


def start_public(directory: Path, **settings: str) -> Server:
    """Start `daypass serve` with its public address configured."""
    port = free_port()
    public = {"DAYPASS_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return serve_on(port, directory, (), public | settings)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Return a function that starts servers with the test's own settings."""
    servers: list[Server] = []

    def starter(*options: str, **settings: str) -> Server:
        servers.append(start_server(tmp_path, *options, **settings))
        return servers[-1]

    yield starter
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as `make run` starts it: no settings, the demo model."""
    server = start_server(tmp_path_factory.mktemp("demo"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def upstream_process() -> Iterator[FakeUpstream]:
    upstream = FakeUpstream()
    upstream.start()
    yield upstream
    upstream.stop()


@pytest.fixture
def upstream(upstream_process: FakeUpstream) -> Iterator[FakeUpstream]:
    """An upstream whose behaviour the test chooses; it behaves well by default."""
    default = upstream_process.reply
    upstream_process.seen.clear()
    upstream_process.cancelled.clear()
    yield upstream_process
    upstream_process.reply = default


@pytest.fixture(scope="session")
def relaying(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that relays to `upstream`."""
    server = start_server(
        tmp_path_factory.mktemp("relaying"),
        DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url,
        DAYPASS_UPSTREAM_API_KEY="sk-the-operators-own",
        DAYPASS_READ_TIMEOUT_S="2",
        DAYPASS_MAX_BODY_BYTES="100000",
        # Paths that the upstream accepts unchanged.
        DAYPASS_EXTRA_PATHS="x,attack,smuggled",
    )
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mailbox_server() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    mailbox.start()
    yield mailbox
    mailbox.stop()


@pytest.fixture
def mailbox(mailbox_server: Mailbox) -> Mailbox:
    """An SMTP server with no mails."""
    mailbox_server.mails.clear()
    return mailbox_server


@pytest.fixture(scope="session")
def oidc_server() -> Iterator[OidcProvider]:
    provider = OidcProvider()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def oidc(oidc_server: OidcProvider) -> OidcProvider:
    """An OpenID provider whose behaviour the test chooses, with a new user."""
    oidc_server.reset()
    return oidc_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A private PostgreSQL."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A private Redis."""
    server = Redis()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def ministack() -> Iterator[Ministack]:
    """A private AWS."""
    server = Ministack()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """A private control plane of AWS."""
    server = Moto()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def behind_aws(ministack: Ministack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the demo model and API Gateway as the enforcer."""
    server = start_behind_aws(tmp_path_factory.mktemp("aws"), ministack)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/daypass.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.create_database(f"test_{uuid4().hex}")


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    """A Redis master with its replica, watched by three sentinels."""
    sentinels = Sentinels()
    try:
        sentinels.start()
        yield sentinels
    finally:
        sentinels.remove()
