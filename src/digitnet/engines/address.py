"""Addresses of running clusters: parse them, and check within seconds whether something answers."""

import socket
from urllib.parse import urlsplit

from digitnet.errors import DigitnetError, UsageError
from digitnet.wording import option

TIMEOUT = 10.0  # seconds within which an address must answer


def check_answers(engine: str, address: str, *, greets: bool) -> None:
    """Raise DigitnetError unless something listens at `address`, UsageError if it is no address.

    With `greets`, the other side must send the first byte. The engines' own clients take too long when nothing
    answers: ray.init tries for two minutes (ray 2.60), and Dask's client waits forever for the greeting (2026.8).
    """
    host, port = _split(address)
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT) as connection:
            if greets and not connection.recv(1):
                raise silent(engine, address, "it hung up")
    except OSError as error:
        raise silent(engine, address, (error.strerror or str(error)).lower()) from error


def silent(engine: str, address: str, reason: str) -> DigitnetError:
    """Make the error for an address at which no cluster answers."""
    return DigitnetError(
        f"{address}: expected a running {engine} cluster, found none ({reason.rstrip('.')}). "
        "Check the address, and that this machine may reach it."
    )


def _split(address: str) -> tuple[str, int]:
    """Parse ``host:port`` or ``scheme://host:port`` into host and port."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        raise UsageError.mismatch(
            option("address"), expected="HOST:PORT", found=repr(address), remedy="See what the cluster printed."
        )
    return host, port
