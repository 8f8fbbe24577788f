"""HTTP as it is on the wire, for what no client library would send."""

import contextlib
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: str


def talk(url: str, request: str) -> Answer:
    """Send these bytes (latin-1) and read until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=30) as caller:
        caller.sendall(request.encode("latin-1"))
        said = b""
        with contextlib.suppress(ConnectionError):
            while piece := caller.recv(65_536):
                said += piece
    head, _, body = said.decode("latin-1").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Answer(int(start.split(" ")[1]), headers, body)
