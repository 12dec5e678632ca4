"""Who may ask: this computer's own page and programs, or whoever has the token.

A page of another site may send requests to this computer's own addresses, by a name that resolves to them (DNS
rebinding) or directly (cross-site requests). Both show in headers that scripts can't set: Host, Origin and
Sec-Fetch-Site (www.w3.org/TR/fetch-metadata).
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import Scope

from digitnet.errors import UsageError

_PROGRAMS = "/v1/", "/v2/"
"""What pages of other sites may ask, where they are allowed to: not the page's own routes."""

_HEALTH = "/v2/health/"
"""What an orchestrator asks, which has no token; the answers tell nothing else."""


_ORIGIN = re.compile(r"(http://(?!.*:80$)|https://(?!.*:443$))([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")


def check_origins(origins: Sequence[str]) -> None:
    """Raise UsageError for what is no origin of a page: a scheme and a host, perhaps a port."""
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise UsageError.mismatch(
                "--allow-origin",
                expected="the address of a site as browsers send it, such as https://example.org",
                found=repr(origin),
                remedy="Leave out the path and a usual port, and write small letters.",
            )


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered."""

    status: int
    sentence: str
    headers: tuple[tuple[str, str], ...] = ()


class Access(Protocol):
    """Decides who may ask."""

    def find_refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        """Return why a request may not be answered; None if it may."""
        ...


@dataclass(frozen=True)
class LocalAccess:
    """The programs of this computer, its own page, and pages of the `origins` that were allowed."""

    origins: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost"})

    def find_refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        """Refuse other hosts' names and other sites' pages."""
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if host not in self.hosts:
            return Refusal(421, f"Host: expected one of {', '.join(sorted(self.hosts))}, found {host!r}.")
        origin = headers.get("origin")
        if origin in self.origins and scope["path"].startswith(_PROGRAMS):
            return None
        is_foreign = origin is not None and origin.partition("://")[2] != headers["host"]
        if not is_foreign and headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            return None
        if scope["method"] in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate":
            return None  # a link on another page may open this one
        return Refusal(403, "This service answers its own page and programs only, not the pages of other sites.")


@dataclass(frozen=True)
class TokenAccess:
    """Whoever sends the token as a bearer (RFC 6750), from anywhere; the health of the service is open."""

    token: str

    def find_refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        """Refuse requests without the token; the comparison takes the same time for each."""
        if scope["path"].startswith(_HEALTH):
            return None
        kind, _, found = headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(found.strip().encode(), self.token.encode())
        if kind.lower() == "bearer" and is_right:
            return None
        sentence = "Authorization: expected the token of this service as a bearer, found another or none."
        return Refusal(401, sentence, (("WWW-Authenticate", "Bearer"),))
