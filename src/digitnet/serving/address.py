"""The address where the service listens."""

import errno
import socket
import sys

from digitnet.errors import UsageError

LOCAL = "127.0.0.1"
"""This computer alone."""

_WAITING = 1024  # connections that the system keeps until they are accepted

_FOUND = {errno.EADDRINUSE: "it in use", errno.EACCES: "one that only an administrator may open"}


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket at a port of `host`, a name or an address of this computer; port 0 is any free one.

    Raises UsageError for an address that can't be had.
    """
    if not 0 <= port < 2**16:
        raise _refuse_port(port, "out of range")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise _refuse_host(host, error) from error
    # The protocol is named, since asyncio sets TCP_NODELAY only then; without it an answer takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_WAITING)
        return listener
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise _refuse_host(host, error) from error
        raise _refuse_port(port, _FOUND.get(error.errno or 0, str(error).lower())) from error


def announce(listener: socket.socket) -> str:
    """Print the address of the service, and return it."""
    host, port = listener.getsockname()[:2]  # localhost may be ::1, another program's
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    return address


def _refuse_port(port: int, found: str) -> UsageError:
    return UsageError.mismatch(
        f"--port {port}",
        expected="a free port",
        found=found,
        remedy="Name another, from 1024 to 65535, or 0 for any that is free.",
    )


def _refuse_host(host: str, error: Exception) -> UsageError:
    return UsageError.mismatch(
        f"--host {host}",
        expected="an address of this computer",
        found=str(getattr(error, "strerror", None) or error).lower(),
        remedy="Name one, or 0.0.0.0 for all.",
    )
