"""The base of AWS simulators: a server on a free loopback port."""

import subprocess
import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx2 as httpx

from tests.support.ports import free_port
from tests.support.waiting import START_S

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class AwsServer:
    """A server that loses its state when it stops."""

    def __init__(self) -> None:
        self._port = free_port()
        self._process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings with which Daypass uses this server as AWS."""
        return CREDENTIALS | {"DAYPASS_AWS_ENDPOINT_URL": self.url}

    def stop(self) -> None:
        """Stop the server."""
        self._process.terminate()
        self._process.wait(20)

    def _await(self, look: Callable[[], httpx.Response]) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                if look().status_code < 500:
                    return
            except httpx.TransportError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)


def client_of(url: str, service: str = "apigateway") -> Any:
    """Return a boto3 client of a service of such a server."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=CREDENTIALS["AWS_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
