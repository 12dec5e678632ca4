"""One https transfer, bounded in bytes and in time, with every failure turned into a short reason."""

import http.client
import ssl
import time
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from digitnet.data.content import BadGzip, gunzip
from digitnet.data.sources.source import SourceFault


def download(url: str, limit: int, *, silence: float, deadline: float) -> bytearray:
    """Fetch a gzipped file and expand at most `limit` bytes of it; raise SourceFault.

    `silence` is the longest wait for one byte, `deadline` the longest for the whole body, in seconds. Certificates
    are checked against the system's trust, or against the file that SSL_CERT_FILE names.
    """
    try:
        request = Request(url, headers={"User-Agent": "digitnet", "Accept-Encoding": "identity"})
        with _opener().open(request, timeout=silence) as response:
            if response.headers.get_content_type() == "text/html":
                raise SourceFault("it sent a web page instead of the file")
            body = _Body(response, most=limit + limit // 100 + 4096, until=time.monotonic() + deadline)
            return gunzip(cast(IO[bytes], body), limit)
    except BadGzip as fault:
        raise SourceFault(str(fault)) from fault
    except HTTPError as fault:
        fault.close()
        raise SourceFault(f"it answered {fault.code} {fault.reason}") from fault
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise SourceFault(_reason(fault)) from fault


class _Body:
    """The body of a response as a file that ends the transfer when it grows too long or takes too much time."""

    def __init__(self, response: http.client.HTTPResponse, most: int, until: float) -> None:
        self.response, self.room, self.until = response, most, until

    def read(self, size: int) -> bytes:
        """Read `size` bytes, fewer only at the end, whatever the packets hold: gzip trusts a file in this."""
        content = bytearray()
        while len(content) < size and (piece := self._read_some(size - len(content))):
            content += piece
        return bytes(content)

    def _read_some(self, size: int) -> bytes:
        if time.monotonic() > self.until:
            raise SourceFault("it was too slow")
        piece = self.response.read1(size)
        self.room -= len(piece)
        if self.room < 0:  # gzip never grows data by a hundredth
            raise SourceFault("it sent more than the file can have")
        return piece


class _HttpsOnly(HTTPRedirectHandler):
    """Follows a redirect only where TLS protects it too."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """Refuse any other scheme."""
        if not newurl.lower().startswith("https://"):
            fp.close()
            raise SourceFault("it redirects to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    return build_opener(_HttpsOnly, HTTPSHandler(context=ssl.create_default_context()))


def _reason(fault: Exception) -> str:
    cause = fault.reason if isinstance(fault, URLError) else fault
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, TimeoutError):
        return "it stopped answering"
    if isinstance(cause, OSError) and cause.strerror:
        return f"it can't be reached ({cause.strerror})"
    return f"it can't be reached ({cause})"
