"""Formats of pictures and documents: what is opened, what a file is, and how to make a picture of it."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from digitnet.wording import install

LARGEST = 100_000_000
"""The most pixels of a picture: twice as many as any telephone takes without stitching."""


@dataclass(frozen=True)
class Extra:
    """A format that is opened where the extra ``pictures`` is installed."""

    name: str
    suffixes: frozenset[str]
    module: str  # what opens it

    @property
    def is_installed(self) -> bool:
        """Whether files of this format can be opened."""
        return _is_installed(self.module)


HEIC = Extra("HEIC", frozenset((".heic", ".heif", ".hif")), "pillow_heif")
PDF = Extra("PDF", frozenset((".pdf",)), "pypdfium2")

_EXTRAS = (HEIC, PDF)
_NAMES = ("PNG", "JPEG", "BMP", "GIF", "WebP", "TIFF", "AVIF")
_SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".avif"}

_SAVE = "Save it as PNG or JPEG."
_IPHONE = "on an iPhone: Settings, Camera, Formats, Most Compatible."
_PAGE = "Save its page as PNG or JPEG."

_BEGINNINGS = (
    (b"GIF8", "a GIF picture that can't be decoded", _SAVE),
    (b"%!PS", "a PostScript document", _PAGE),
    (b"8BPS", "a Photoshop document", _SAVE),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", _SAVE),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", _SAVE),
    (b"\xff\x0a", "a JPEG XL picture", _SAVE),
    (b"\0\0\1\0", "an icon", _SAVE),
    (b"PK\3\4", "a ZIP archive or an office document", _PAGE),
)
_BLANK = b"\0\t\n\r \xef\xbb\xbf"  # before the header of a document
_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}

_PHOTOGRAPHS = (".jp2", ".j2k", ".jxl")
_DRAWINGS = (".svg", ".ico", ".psd", ".xcf", ".tga", ".pcx", ".ppm", ".pgm", ".pbm", ".pnm")
_RAW = (".dng", ".cr2", ".cr3", ".crw", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw")  # of cameras
_DOCUMENTS = (".ps", ".eps", ".ai", ".djvu", ".xps", ".doc", ".docx", ".odt", ".pages", ".ppt", ".pptx")
_OTHERS = {*_PHOTOGRAPHS, *_DRAWINGS, *_RAW, *_DOCUMENTS}


def describe_formats() -> str:
    """List what is opened here: "PNG, JPEG or TIFF"."""
    *names, last = (*_NAMES, *(extra.name for extra in _EXTRAS if extra.is_installed))
    return f"{', '.join(names)} or {last}"


def is_picture(path: str | Path) -> bool:
    """Tell by the suffix whether a file of a folder is one that `open_picture` reads here."""
    suffix = Path(path).suffix.lower()
    return suffix in _SUFFIXES or any(suffix in extra.suffixes and extra.is_installed for extra in _EXTRAS)


def is_other_format(path: str | Path) -> bool:
    """Tell by the suffix whether a file of a folder is a picture or a document that is not opened here."""
    suffix = Path(path).suffix.lower()
    return suffix in _OTHERS or any(suffix in extra.suffixes and not extra.is_installed for extra in _EXTRAS)


def find_extra(content: bytes) -> Extra | None:
    """Find by the first bytes of a file which extra opens it."""
    if content[:1024].lstrip(_BLANK).startswith(b"%PDF-"):
        return PDF
    brands = _read_brands(content)
    return HEIC if brands & _HEIC and not brands & _AVIF else None


def identify(content: bytes) -> tuple[str, str]:
    """Name the format of a file that is not opened by its first bytes; return also what to do."""
    head = content[:1024]
    if find_extra(content) is PDF:
        return "a PDF document", _begin(f"{install('pictures')}save its page as PNG or JPEG.")
    for beginning, name, remedy in _BEGINNINGS:
        if head.startswith(beginning):
            return name, remedy
    if brands := _read_brands(head):
        return _identify_media(brands)
    text = _decode(head).lower()
    if "<html" in text or "<!doctype html" in text:
        return "a web page", "Save the picture itself, not the page that shows it."
    if "<svg" in text:
        return "an SVG drawing", _SAVE
    return ("text", "Name a picture.") if text else ("something else", _SAVE)


def _read_brands(head: bytes) -> set[bytes]:
    """Read the brands of an ISO base media file, of which a file has several; ISO/IEC 14496-12."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4]), 1024)  # of the first box
    return {head[8:12], *(head[start : start + 4] for start in range(16, min(end, len(head)), 4))}


def _identify_media(brands: set[bytes]) -> tuple[str, str]:
    """Name the format of an ISO base media file by its brands."""
    if brands & _AVIF:
        return "an AVIF picture that can't be decoded", _SAVE
    if brands & _HEIC:
        return "a HEIC picture", _begin(f"{install('pictures')}save it as PNG or JPEG; {_IPHONE}")
    if b"crx " in brands:
        return "a raw picture of a camera", _SAVE
    return "a film", "Save a frame of it as PNG or JPEG."


def _begin(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


@cache
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None


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
    return f"Skipped {what} not {describe_formats()}: {name_some(files)}. {remedy_for(files)}"


def name_some(files: Sequence[str]) -> str:
    """Name a few files, and count the others: "a, b, c and 2 others"."""
    if len(files) <= 4:
        return ", ".join(files)
    return f"{', '.join(files[:3])} and {len(files) - 3:,} others"


def remedy_for(files: Sequence[str]) -> str:
    """Say what to do about some files that are not opened here."""
    them = "it" if len(files) == 1 else "them"
    suffixes = {Path(file).suffix.lower() for file in files}
    missing = [extra for extra in _EXTRAS if suffixes & extra.suffixes]
    if not missing:
        return f"Save {them} as PNG or JPEG."
    end = f"; {_IPHONE}" if HEIC in missing else "."
    return _begin(f"{install('pictures')}save {them} as PNG or JPEG{end}")
