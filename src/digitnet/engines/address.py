"""Addresses of running clusters: read them, and see within seconds whether anything answers there."""

import socket
from urllib.parse import urlsplit

from digitnet.errors import DigitnetError, UsageError

PATIENCE = 10.0  # seconds for anything that an address has to answer


def check_answers(engine: str, address: str, *, greets: bool) -> None:
    """Raise DigitnetError unless something listens at `address`, UsageError unless it is one.

    With `greets`, it must also be the first to speak. The engines' own clients are no help where nothing answers:
    ray.init tries for two minutes (ray 2.60), and Dask's client waits forever for the greeting (2026.8).
    """
    host, port = _split(address)
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as connection:
            if greets and not connection.recv(1):
                raise silent(engine, address, "it hung up")
    except OSError as fault:
        raise silent(engine, address, (fault.strerror or str(fault)).lower()) from fault


def silent(engine: str, address: str, reason: str) -> DigitnetError:
    """Build the sentence about an address where no cluster answers."""
    return DigitnetError(
        f"{address}: expected a running {engine} cluster, found none ({reason.rstrip('.')}). "
        "Check the address, and that this machine may reach it."
    )


def _split(address: str) -> tuple[str, int]:
    """Take host and port from ``host:port`` or ``scheme://host:port``."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        raise UsageError.mismatch(
            "--address", expected="HOST:PORT", found=repr(address), remedy="See where the cluster was started."
        )
    return host, port
