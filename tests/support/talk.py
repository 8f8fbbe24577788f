"""Raw HTTP, for requests that no client library would send."""

import contextlib
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    """A raw response."""

    status: int
    headers: dict[str, str]
    body: str


def talk(url: str, request: str) -> Answer:
    """Send these bytes (latin-1); read to the end of the response or the connection."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=30) as caller:
        caller.sendall(request.encode("latin-1"))
        said = b""
        with contextlib.suppress(ConnectionError):
            while not is_whole(said) and (piece := caller.recv(65_536)):
                said += piece
    head, _, body = said.decode("latin-1").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Answer(int(start.split(" ")[1]), headers, body)


def is_whole(said: bytes) -> bool:
    """Return whether this is a complete response of known length."""
    head, _, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return length is not None and len(body) >= int(length[1])
