"""A private moto server: AWS's control plane over HTTP."""

import subprocess
import sys

import httpx2 as httpx

from tests.support.aws_server import AwsServer


class Moto(AwsServer):
    """One server whose state can be reset."""

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._await(self.forget)

    def forget(self) -> httpx.Response:
        """Reset all state."""
        return httpx.post(f"{self.url}/moto-api/reset")
