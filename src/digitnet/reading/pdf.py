"""A page of a PDF document -> its pixels, rendered in a process of its own.

A document is close to a program: one of two kilobytes can keep a renderer busy for centuries, or take all memory,
and meanwhile no signal reaches Python. PDFium may also be used by one thread only. So it works in a process that
can be ended. The process runs this module, which imports little: it starts in a tenth of a second.
"""

import json
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from digitnet.errors import PictureError
from digitnet.reading.formats import LARGEST

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

_PROGRAM = sys.executable, "-P", "-m", "digitnet.reading.pdf"  # -P: never a module of the folder that one is in
_RESOLUTION = 300 / 72  # pixels of a unit: 300 dots per inch, as most scanners have
_LONGEST = 4_000  # pixels of the longer side: A4 has 3,508, and some programs make pages that are metres wide
_SECONDS = 10
_MEMORY = 2**30  # bytes


class Rendering(NamedTuple):
    """A page of a document; no pixels if the document has no such page."""

    pixels: bytes  # rows x columns x 3: red, green and blue
    rows: int
    columns: int
    pages: int  # of the document


def render_page(document: bytes, number: int, where: str) -> Rendering:
    """Render the page of a number, from 1, over white; raise PictureError for one that can't be rendered."""
    words = [*_PROGRAM, str(number), where]
    remedy = "Save the page as PNG or JPEG."
    try:
        done = subprocess.run(words, input=document, capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        expected, found = f"a page that is rendered within {_SECONDS} seconds", "one that takes longer"
        raise PictureError.mismatch(where, expected=expected, found=found, remedy=remedy) from error
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or f"code {done.returncode}"
        found = f"one that ended the renderer ({reason})"
        raise PictureError.mismatch(where, expected="a page that can be rendered", found=found, remedy=remedy)
    head, _, pixels = done.stdout.partition(b"\n")
    answer = json.loads(head)
    if "error" in answer:
        raise PictureError(answer["error"])
    return Rendering(pixels, **answer)


def _main() -> None:
    """Render a page of the document in standard input; write a line of JSON, and the pixels."""
    number, where = sys.argv[1:]
    document = sys.stdin.buffer.read()
    _limit()
    try:
        pixels, rows, columns, pages = _render(document, int(number), where)
        answer: dict[str, int | str] = {"rows": rows, "columns": columns, "pages": pages}
    except PictureError as error:
        answer, pixels = {"error": str(error)}, b""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + pixels)


def _limit() -> None:
    """Limit memory and time where the system can: this process may outlive the one that started it."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (2 * _SECONDS, 2 * _SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _render(document: bytes, number: int, where: str) -> Rendering:
    import pypdfium2

    if b"%%EOF" not in document.rstrip(b"\0\t\n\r ")[-1024:]:  # PDFium would render what is left
        raise _damaged(where, "one whose end is missing")
    try:
        opened = pypdfium2.PdfDocument(document)
        if number > len(opened):
            return Rendering(b"", 0, 0, len(opened))
        page = opened[number - 1]
        _check_images(page, where)
        scale = min(_RESOLUTION, _LONGEST / max(page.get_size()))
        bitmap = page.render(scale, rev_byteorder=True)  # red first
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            expected, found = "a document that opens without a password", "one that asks for it"
            raise PictureError.mismatch(
                where, expected=expected, found=found, remedy="Save it without one."
            ) from error
        raise _damaged(where, "one that is damaged or empty") from error
    assert bitmap.stride == 3 * bitmap.width
    return Rendering(bytes(bitmap.buffer), bitmap.height, bitmap.width, len(opened))


def _check_images(page: "PdfPage", where: str) -> None:
    """Raise PictureError for a page with an image of too many pixels, before it is decoded."""
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    for image in page.get_objects([FPDF_PAGEOBJ_IMAGE]):
        columns, rows = image.get_px_size()
        if rows * columns > LARGEST:
            raise PictureError.mismatch(
                where,
                expected=f"at most {LARGEST:,} pixels",
                found=f"{columns:,} x {rows:,} = {rows * columns:,}",
                remedy="Scale the picture down.",
            )


def _damaged(where: str, found: str) -> PictureError:
    expected, remedy = "a whole document with pages", "Save or copy it again."
    return PictureError.mismatch(where, expected=expected, found=found, remedy=remedy)


if __name__ == "__main__":
    _main()
