"""Listening sockets: bound before anything else starts, closed without losing a connection."""

import contextlib
import ctypes
import socket
import struct
import sys

BACKLOG = 2048

# From <linux/filter.h>: if (tcp.flags & (SYN | ACK)) == SYN then drop, else accept.
_SO_ATTACH_FILTER = 26
_DROP_NEW_CONNECTIONS = (
    (0x30, 0, 0, 13),  # load the byte with the TCP flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # only SYN?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # accept
)


class ListenError(Exception):
    """Listening on an address failed. The message is one line."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Bind and listen on every address that a host name resolves to. Raises ListenError.

    Port 0 selects a free port, the same for all addresses. `::` accepts IPv4 as well.
    """
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, (name, _, *rest) in dict.fromkeys(found):
            port = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_bind(family, (name, port, *rest)))
    except (OSError, UnicodeError) as error:
        for bound in sockets:
            bound.close()
        reason = error.strerror if isinstance(error, OSError) else "this is no host name"
        raise ListenError(f"cannot listen on {host} port {port}: {reason}") from None
    return sockets


def stop_new_connections(listener: socket.socket) -> None:
    """Make the kernel drop new connections; those already in progress can still be accepted.

    A dropped client retries a moment later. By then the socket is closed, the connection is
    refused, and a proxy tries its next server. Closing at once would reset the connections in the
    backlog and lose the requests already sent on them. Does nothing where socket filters
    do not exist or are not permitted.
    """
    if sys.platform != "linux":
        return
    code = b"".join(struct.pack("HBBI", *step) for step in _DROP_NEW_CONNECTIONS)
    program = ctypes.create_string_buffer(code)
    pointer = struct.pack("HP", len(_DROP_NEW_CONNECTIONS), ctypes.addressof(program))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)


def _bind(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            is_any = address[0] == "::"
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if is_any else 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
