"""HTTP as it is on the wire, for what no client library would send."""

import contextlib
import re
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
    """Send these bytes (latin-1) and read the answer to its end, or the connection's."""
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
    """Whether this is an answer whose length is known and has come."""
    head, _, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return length is not None and len(body) >= int(length[1])
