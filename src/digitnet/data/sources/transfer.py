"""One https download, limited in bytes and in time; every failure becomes a SourceError with a short reason."""

import http.client
import ssl
import time
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from digitnet.data.content import GzipError, gunzip
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.data.sources.source import SourceError

_PIECE = 2**20  # bytes
_REPORTED = 50_000_000  # bytes after which a download says again how far it is


def download(
    url: str,
    limit: int,
    *,
    silence: float,
    deadline: float,
    gzipped: bool = True,
    on_message: OnMessage = ignore_message,
) -> bytearray:
    """Download a file, expand it if it is gzipped, and return at most `limit` bytes of it; raise SourceError.

    `silence` is the longest wait for one byte, `deadline` that for the whole body, in seconds. Certificates are
    verified against the system's trust store, or against the file that SSL_CERT_FILE names. A long download tells
    `on_message` how far it is.
    """
    try:
        request = Request(url, headers={"User-Agent": "digitnet", "Accept-Encoding": "identity"})
        opener = build_opener(_HttpsOnly, HTTPSHandler(context=ssl.create_default_context()))
        with opener.open(request, timeout=silence) as response:
            if response.headers.get_content_type() == "text/html":
                raise SourceError("it sent a web page instead of the file")
            most = limit + limit // 100 + 4096  # gzip never expands data by a hundredth
            body = _Body(response, most, time.monotonic() + deadline, on_message)
            return gunzip(cast(IO[bytes], body), limit) if gzipped else body.gather(limit)
    except GzipError as error:
        raise SourceError(str(error)) from error
    except HTTPError as error:
        error.close()
        raise SourceError(f"it answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceError(_reason(error)) from error


class _Body:
    """The body of a response as a file; reading raises SourceError when it is too long or takes too much time."""

    def __init__(self, response: http.client.HTTPResponse, most: int, until: float, on_message: OnMessage) -> None:
        self.response, self.most, self.until, self.on_message = response, most, until, on_message
        self.whole = response.length  # bytes, as the server says
        self.received = 0

    def read(self, size: int) -> bytes:
        """Read `size` bytes, and fewer only at the end, as gzip expects of a file."""
        return bytes(self.gather(size))

    def gather(self, size: int) -> bytearray:
        """Read as `read` does; without a copy, for files of which two don't fit into memory."""
        content = bytearray()
        while len(content) < size and (piece := self._read_some(size - len(content))):
            content += piece
        return content

    def _read_some(self, size: int) -> bytes:
        if time.monotonic() > self.until:
            raise SourceError("it was too slow")
        piece = self.response.read1(min(size, _PIECE))
        before, self.received = self.received, self.received + len(piece)
        if self.received > self.most:
            raise SourceError("it sent more than the file can contain")
        if self.received // _REPORTED > before // _REPORTED:
            whole = f" of {self.whole / 1e6:,.0f}" if self.whole else ""
            self.on_message(f"{self.received / 1e6:,.0f}{whole} MB have arrived.")
        return piece


class _HttpsOnly(HTTPRedirectHandler):
    """Follows redirects to https only."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """Raise SourceError for any other scheme."""
        if not newurl.lower().startswith("https://"):
            fp.close()
            raise SourceError("it redirects to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, TimeoutError):
        return "it stopped answering"
    if isinstance(cause, OSError) and cause.strerror:
        return f"it can't be reached ({cause.strerror})"
    return f"it can't be reached ({cause})"
