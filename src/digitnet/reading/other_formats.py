"""Formats of pictures and documents that are not opened: what a file is, and how to make a picture of it."""

import codecs
from collections.abc import Sequence
from pathlib import Path

FORMATS = "PNG, JPEG, BMP, WebP or TIFF"
"""What is opened."""

_SAVE = "Save it as PNG or JPEG."
_IPHONE = "on an iPhone: Settings, Camera, Formats, Most Compatible."
_PAGE = "Save its page as PNG or JPEG."

_BEGINNINGS = (
    (b"GIF8", "a GIF picture", _SAVE),
    (b"%PDF-", "a PDF document", _PAGE),
    (b"%!PS", "a PostScript document", _PAGE),
    (b"8BPS", "a Photoshop document", _SAVE),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", _SAVE),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", _SAVE),
    (b"\xff\x0a", "a JPEG XL picture", _SAVE),
    (b"\0\0\1\0", "an icon", _SAVE),
    (b"PK\3\4", "a ZIP archive or an office document", _PAGE),
)
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}

_PHOTOGRAPHS = (".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jxl")
_DRAWINGS = (".gif", ".svg", ".ico", ".psd", ".xcf", ".tga", ".pcx", ".ppm", ".pgm", ".pbm", ".pnm")
_RAW = (".dng", ".cr2", ".cr3", ".crw", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw")  # of cameras
_DOCUMENTS = (".pdf", ".ps", ".eps", ".ai", ".djvu", ".xps", ".doc", ".docx", ".odt", ".pages", ".ppt", ".pptx")
_SUFFIXES = {*_PHOTOGRAPHS, *_DRAWINGS, *_RAW, *_DOCUMENTS}


def is_other_format(path: str | Path) -> bool:
    """Tell by the suffix whether a file of a folder is a picture or a document of another format."""
    return Path(path).suffix.lower() in _SUFFIXES


def identify(content: bytes) -> tuple[str, str]:
    """Name the format of a file that is not opened by its first bytes; return also what to do."""
    head = content[:1024]
    for beginning, name, remedy in _BEGINNINGS:
        if head.startswith(beginning):
            return name, remedy
    if head[4:8] == b"ftyp":
        return _identify_media(head)
    text = _decode(head).lower()
    if "<html" in text or "<!doctype html" in text:
        return "a web page", "Save the picture itself, not the page that shows it."
    if "<svg" in text:
        return "an SVG drawing", _SAVE
    return ("text", "Name a picture.") if text else ("something else", _SAVE)


def _identify_media(head: bytes) -> tuple[str, str]:
    """Name the format of an ISO base media file by its brands, of which a file has several; ISO/IEC 14496-12."""
    end = int.from_bytes(head[:4])  # of the first box
    brands = {head[8:12], *(head[start : start + 4] for start in range(16, min(end, len(head)), 4))}
    if brands & {b"avif", b"avis"}:
        return "an AVIF picture", _SAVE
    if brands & _HEIC:
        return "a HEIC picture", f"Save it as PNG or JPEG; {_IPHONE}"
    if b"crx " in brands:
        return "a raw picture of a camera", _SAVE
    return "a film", "Save a frame of it as PNG or JPEG."


def _decode(head: bytes) -> str:
    """Return the beginning of a text; nothing where it is none."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # which may end within a character
    except UnicodeDecodeError:
        return ""
    return text if all(character.isprintable() or character in "\ufeff\t\r\n\f" for character in text) else ""


def describe_skipped(files: Sequence[str]) -> str:
    """Say of some files in one sentence that they are skipped."""
    what = "1 file that is" if len(files) == 1 else f"{len(files):,} files that are"
    return f"Skipped {what} not {FORMATS}: {name_some(files)}. {remedy_for(files)}"


def name_some(files: Sequence[str]) -> str:
    """Name a few files, and count the others: "a, b, c and 2 others"."""
    if len(files) <= 4:
        return ", ".join(files)
    return f"{', '.join(files[:3])} and {len(files) - 3:,} others"


def remedy_for(files: Sequence[str]) -> str:
    """Say what to do about some files."""
    them = "it" if len(files) == 1 else "them"
    is_iphone = any(file.lower().endswith((".heic", ".heif")) for file in files)
    return f"Save {them} as PNG or JPEG{f'; {_IPHONE}' if is_iphone else '.'}"
