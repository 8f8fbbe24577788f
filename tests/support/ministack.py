"""A private ministack: the parts of AWS that these tests need."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx2 as httpx

from tests.support.aws_server import AwsServer

HERE = Path(__file__).parents[1] / "enforcement" / "aws"
LOCK = HERE / "ministack.lock"
VENV = Path(sys.prefix) / "ministack"


def find_python() -> Path:
    """Return the Python of ministack's own virtual environment, which is updated if necessary."""
    python, installed = VENV / "bin" / "python", VENV / "installed"
    if not installed.is_file() or installed.stat().st_mtime < LOCK.stat().st_mtime:
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
        installed.touch()
    return python


class Ministack(AwsServer):
    """One server, in its own directory."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory(prefix="daypass-ministack-")

    def stage_root(self, rest_api_id: str) -> str:
        """Return the base address of the API's stages."""
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
        self._await(lambda: httpx.get(f"{self.url}/_ministack/health"))

    def stop(self) -> None:
        """Stop the server."""
        super().stop()
        self._directory.cleanup()
