"""A private moto server: AWS's control plane over HTTP, on a free loopback port."""

import subprocess
import sys
import time

import httpx2 as httpx

from tests.ministack import CREDENTIALS
from tests.ports import free_port


class Moto:
    """One server, which forgets everything when it is told to."""

    def __init__(self) -> None:
        self._port = free_port()
        self._process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def settings(self) -> dict[str, str]:
        """What makes Daypass take this for AWS."""
        return CREDENTIALS | {"DAYPASS_AWS_ENDPOINT_URL": self.url}

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.forget()
                return
            except httpx.TransportError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)

    def forget(self) -> None:
        """Forget everything."""
        httpx.post(f"{self.url}/moto-api/reset")

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(20)
