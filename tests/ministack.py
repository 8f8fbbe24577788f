"""A private ministack: AWS as far as these tests need it, on a free loopback port."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2 as httpx

from tests.ports import free_port

HERE = Path(__file__).parent / "aws"
LOCK = HERE / "ministack.lock"
VENV = Path(sys.prefix) / "ministack"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def find_python() -> Path:
    """The Python of ministack's own virtual environment, made where it is not up to date."""
    python, installed = VENV / "bin" / "python", VENV / "installed"
    if not installed.is_file() or installed.stat().st_mtime < LOCK.stat().st_mtime:
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
        installed.touch()
    return python


class Ministack:
    """One server, which forgets everything when it ends."""

    def __init__(self) -> None:
        self._port = free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="daypass-ministack-")
        self._process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def settings(self) -> dict[str, str]:
        """What makes Daypass take this for AWS."""
        return CREDENTIALS | {"DAYPASS_AWS_ENDPOINT_URL": self.url}

    def stage_root(self, rest_api_id: str) -> str:
        """The address below which the API's stages are."""
        return f"{self.url}/_aws/execute-api/{rest_api_id}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": self._directory.name,
            "TMPDIR": self._directory.name,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "LOG_LEVEL": "WARNING",
        }
        with Path(self._directory.name, "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(find_python()), str(HERE / "ministack_server.py")],
                env=environment,
                cwd=self._directory.name,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{self.url}/_ministack/health").status_code < 500:
                    return
            except httpx.TransportError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(20)
        self._directory.cleanup()
