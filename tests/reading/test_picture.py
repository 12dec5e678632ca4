"""Opening pictures: the same pixels from wherever they come, and a sentence for everything else."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw, ImageFilter, ImageSequence

from digitnet.errors import PictureError
from digitnet.installation import install_command
from digitnet.reading.formats import LARGEST, is_other_format, is_picture
from digitnet.reading.picture import Source, open_page, open_picture

UInt8 = NDArray[np.uint8]

COLOURS: UInt8 = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)
GREY: UInt8 = COLOURS[..., 0].copy()


def encode(picture: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    if format == "HEIC":
        content = pillow_heif.from_pillow(picture)
        content.info["exif"] = options.pop("exif", None)  # of which it makes properties of the picture
        content.save(file, **options)
    else:
        picture.save(file, format, **options)
    return file.getvalue()


LOSSLESS = {
    "WEBP": {"lossless": True, "exact": True},
    "HEIC": {"quality": -1, "chroma": 444, "matrix_coefficients": 0},
}


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "WEBP", "HEIC"])
def test_the_same_pixels_come_from_everywhere(format: str, tmp_path: Path) -> None:
    content = encode(Image.fromarray(COLOURS), format, **LOSSLESS.get(format, {}))
    path = tmp_path / "picture"
    path.write_bytes(content)
    for source in (path, str(path), content, io.BytesIO(content), Image.fromarray(COLOURS), COLOURS):
        np.testing.assert_array_equal(open_picture(source), COLOURS)
    with path.open("rb") as file:
        np.testing.assert_array_equal(open_picture(file), COLOURS)


@pytest.mark.parametrize("format", ["JPEG", "GIF", "AVIF"])
def test_what_changes_colours_is_read_as_pillow_reads_it(format: str) -> None:
    content = encode(Image.fromarray(COLOURS), format)
    with Image.open(io.BytesIO(content)) as picture:
        np.testing.assert_array_equal(open_picture(content), np.array(picture.convert("RGB")))


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, GREY),
        (2, GREY[:, ::-1]),
        (3, GREY[::-1, ::-1]),
        (4, GREY[::-1]),
        (5, GREY.T),
        (6, np.rot90(GREY, -1)),
        (7, GREY[::-1, ::-1].T),
        (8, np.rot90(GREY)),
    ],
)
def test_a_camera_that_was_turned_is_turned_back(orientation: int, upright: UInt8) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(open_picture(encode(Image.fromarray(GREY), "PNG", exif=exif)), upright)


@pytest.mark.parametrize("format", ["HEIC", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_that_was_turned_is_turned_back_once_where_the_decoder_may_do_it(
    orientation: int, format: str
) -> None:
    picture = Image.fromarray(np.add.outer(np.arange(70) * 2, np.arange(50)).astype(np.uint8))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    expected = open_picture(encode(picture, "PNG", exif=exif))
    content = encode(picture, format, exif=exif.tobytes(), quality=100)
    assert (b"irot" in content or b"imir" in content) == (orientation > 1)
    opened = open_page(content)
    assert opened.shape == opened.pixels.shape[:2] == expected.shape
    assert np.abs(open_picture(Image.fromarray(opened.pixels).convert("L")).astype(int) - expected).max() < 5


RED = (220, 30, 40)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("1", (3, 2), 1), 255),
        (Image.new("L", (3, 2), 90), 90),
        (Image.new("LA", (3, 2), (90, 255)), (90, 90, 90)),
        (Image.new("LA", (3, 2), (90, 0)), (255, 255, 255)),
        (Image.new("RGBA", (3, 2), (*RED, 255)), RED),
        (Image.new("RGBA", (3, 2), (*RED, 0)), (255, 255, 255)),
        (Image.new("RGBA", (3, 2), (0, 0, 0, 51)), (204, 204, 204)),
        (Image.new("RGB", (3, 2), RED).convert("P", palette=Image.Palette.ADAPTIVE), RED),
        (Image.new("CMYK", (3, 2), (0, 0, 0, 255)), (0, 0, 0)),
        (Image.fromarray(np.full((2, 3), 65_535, np.uint16)), 255),
        (Image.fromarray(np.full((2, 3), 257 * 90, np.uint16)), 90),
        (Image.new("I", (3, 2), 257 * 90), 90),
        (Image.new("F", (3, 2), 0.2), 51),
    ],
)
def test_every_mode_becomes_grey_or_colour(picture: Image.Image, expected: int | tuple[int, ...]) -> None:
    opened = open_picture(picture)
    assert opened.dtype == np.uint8
    np.testing.assert_array_equal(opened, np.broadcast_to(np.array(expected), opened.shape))
    assert opened.shape[:2] == (2, 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_comes_through_a_file(mode: str) -> None:
    picture = Image.fromarray(GREY).convert("RGB" if mode == "P" else "L").convert(mode)
    np.testing.assert_array_equal(open_picture(encode(picture, "PNG")), open_picture(picture))


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[..., None],
        GREY.astype(np.uint16) * np.uint16(257),
        (GREY / 255).astype(np.float32),
        GREY.astype(np.float64) / 255,
        np.asfortranarray(GREY),
        np.repeat(GREY, 2, axis=1)[:, ::2],
    ],
)
def test_arrays_of_every_kind_hold_the_same_picture(array: NDArray[np.generic]) -> None:
    np.testing.assert_array_equal(open_picture(array), GREY)


def test_an_array_may_be_of_bools_or_transparent_and_is_never_changed() -> None:
    np.testing.assert_array_equal(open_picture(np.array([[True, False]])), [[255, 0]])
    clear = np.dstack([COLOURS, np.zeros_like(GREY)])
    np.testing.assert_array_equal(open_picture(clear), np.full_like(COLOURS, 255))
    before = GREY.copy()
    open_picture(GREY)[:] = 0
    np.testing.assert_array_equal(GREY, before)


def strokes(colour: tuple[int, int, int], background: int = 0) -> Image.Image:
    """A stroke with soft edges on a picture that is otherwise transparent; `background` is its colour, unseen."""
    drawn = Image.new("RGBA", (40, 60), (background, background, background, 0))
    cover = Image.new("L", drawn.size)
    ImageDraw.Draw(cover).line([(12, 8), (25, 50)], fill=255, width=6)
    cover = cover.filter(ImageFilter.GaussianBlur(1))
    drawn.paste(colour, mask=cover.point([0] + [255] * 255))
    drawn.putalpha(cover)
    return drawn


CLEAR = [
    ((255, 255, 255), 0),  # the colour of the stroke, and of the paper that it needs
    ((255, 230, 80), 0),
    ((160, 160, 160), 0),
    ((0, 0, 0), 255),
    ((20, 40, 160), 255),
    ((200, 30, 30), 255),
]


@pytest.mark.parametrize(("colour", "paper"), CLEAR)
@pytest.mark.parametrize("background", [0, 255])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "HEIC", "image", "uint8", "float"])
def test_strokes_on_nothing_are_laid_over_paper_on_which_they_show(
    colour: tuple[int, int, int], paper: int, background: int, kind: str
) -> None:
    drawn = strokes(colour, background)
    expected = Image.new("RGBA", drawn.size, (paper, paper, paper))
    expected.alpha_composite(drawn)
    sources: dict[str, Callable[[], Source]] = {
        "image": lambda: drawn,
        "uint8": lambda: np.array(drawn),
        "float": lambda: np.array(drawn) / 255,
    }
    source = sources.get(kind, lambda: encode(drawn, kind, **LOSSLESS.get(kind, {})))()
    np.testing.assert_array_equal(open_picture(source), np.array(expected)[..., :3])


def test_a_grey_picture_and_a_palette_with_transparency_are_laid_over_the_same() -> None:
    for colour, paper in (((255, 255, 255), 0), ((0, 0, 0), 255)):
        drawn = strokes(colour)
        np.testing.assert_array_equal(open_picture(drawn.convert("LA")), open_picture(drawn))
        palette = Image.new("P", (40, 40), 0)
        palette.putpalette([*([90] * 3), *colour])
        palette.paste(1, (10, 10, 15, 30))
        opened = open_picture(encode(palette, "PNG", transparency=0))
        assert opened[0, 0].tolist() == [paper] * 3
        assert opened[20, 12].tolist() == list(colour)


def test_transparency_in_avif_and_gif_is_laid_over_paper_too() -> None:
    for format in ("AVIF", "GIF"):
        for colour, paper in (((255, 255, 255), 0), ((0, 0, 0), 255)):
            drawn = strokes(colour)
            drawn.putalpha(drawn.getchannel("A").point(lambda cover: 255 * (cover > 127)))  # GIF knows no more
            expected = open_picture(drawn)
            opened = open_picture(encode(drawn, format))
            assert opened[0, 0].tolist() == [paper] * 3
            assert np.abs(opened.astype(int) - expected).mean() < 4


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_heic_of_ten_bits_a_channel_is_read(mode: str) -> None:
    pixels = np.asarray(Image.fromarray(COLOURS).convert(mode).resize((70, 50)))
    content = io.BytesIO()
    deep = pillow_heif.from_bytes(f"{mode};16", (70, 50), (pixels.astype(np.uint16) * 257).tobytes())
    deep.save(content, quality=-1, chroma=444)
    assert pillow_heif.open_heif(content).info["bit_depth"] == 10
    opened = open_picture(content.getvalue())
    assert opened.shape == pixels.shape
    assert np.abs(opened.astype(int) - pixels).mean() < 3


def test_light_paper_with_transparent_corners_stays_on_white() -> None:
    page = np.full((60, 80, 4), 240, np.uint8)
    page[..., 3] = 255
    page[20:40, 30:35, :3] = 10  # ink
    page[:5, :5, 3] = page[-5:, -5:, 3] = 0
    for source in (page, encode(Image.fromarray(page), "PNG")):
        opened = open_picture(source)
        assert opened[0, 0].tolist() == [255] * 3
        assert opened[30, 32].tolist() == [10] * 3


def test_a_picture_of_which_nothing_is_visible_is_white_paper() -> None:
    for light in (0, 255):
        nothing = np.zeros((5, 4, 4), np.uint8)
        nothing[..., :3] = light
        assert (open_picture(nothing) == 255).all()


def test_of_several_pages_the_first_is_taken() -> None:
    pages = encode(Image.fromarray(COLOURS), "TIFF", save_all=True, append_images=[Image.fromarray(GREY)])
    np.testing.assert_array_equal(open_picture(pages), COLOURS)


def tiff_of(pages: int, **options: object) -> bytes:
    others = [Image.fromarray(GREY) for _ in range(pages - 1)]
    return encode(Image.fromarray(COLOURS), "TIFF", save_all=True, append_images=others, **options)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
@pytest.mark.parametrize("pages", [1, 2, 5])
def test_the_pages_of_a_tiff_are_counted(pages: int, compression: str | None, tmp_path: Path) -> None:
    content = tiff_of(pages, compression=compression)
    (tmp_path / "scan.tif").write_bytes(content)
    for source in (content, io.BytesIO(content), tmp_path / "scan.tif"):
        page = open_page(source)
        opened, found = page.pixels, page.pages
        assert found == pages
        np.testing.assert_array_equal(opened, open_picture(tiff_of(1, compression=compression)))


def test_a_smaller_copy_and_what_is_damaged_are_no_pages() -> None:
    smaller = Image.fromarray(GREY)
    smaller.encoderinfo = {"tiffinfo": {254: 1}}
    copied = encode(Image.fromarray(COLOURS), "TIFF", save_all=True, append_images=[smaller])
    whole = tiff_of(3)
    cut = whole[: whole.rindex(GREY.tobytes()) - 100]  # within what describes the last page
    for content, pages in ((copied, 1), (cut, 2)):
        page = open_page(content)
        opened, found = page.pixels, page.pages
        assert found == pages
        np.testing.assert_array_equal(opened, COLOURS)


def test_every_other_picture_is_one_page() -> None:
    frames = [Image.fromarray(255 - COLOURS)]
    for format in (
        "PNG",
        "WEBP",
        "GIF",
        "AVIF",
        "MPO",
    ):  # animations, and the photograph of a telephone with more in its file
        moving = encode(Image.fromarray(COLOURS), format, save_all=True, append_images=frames)
        assert open_page(moving).pages == 1
    for source in (encode(Image.fromarray(COLOURS), "JPEG"), GREY, Image.fromarray(GREY)):
        assert open_page(source).pages == 1


def test_every_page_is_read_by_giving_one_at_a_time() -> None:
    with Image.open(io.BytesIO(tiff_of(3))) as scan:
        pages = [open_picture(page) for page in ImageSequence.Iterator(scan)]
    np.testing.assert_array_equal(pages[0], COLOURS)
    assert [page.shape for page in pages[1:]] == [GREY.shape] * 2
    np.testing.assert_array_equal(pages[2], GREY)


def test_a_page_of_a_number_is_opened() -> None:
    smaller, third = Image.fromarray(GREY), Image.fromarray(255 - GREY)
    smaller.encoderinfo = {"tiffinfo": {254: 1}}  # no page, so it is not counted
    content = encode(Image.fromarray(COLOURS), "TIFF", save_all=True, append_images=[smaller, third])
    np.testing.assert_array_equal(open_page(content, 2).pixels, 255 - GREY)
    assert open_page(content, 2).pages == 2
    with pytest.raises(PictureError, match=r"The bytes: expected at least 3 pages, found 2\. Name another page\."):
        open_page(content, 3)
    for source in (encode(Image.fromarray(GREY), "PNG"), GREY, Image.fromarray(GREY), open_page(GREY)):
        with pytest.raises(PictureError, match=r"expected at least 2 pages, found 1\."):
            open_page(source, 2)


def png_of(columns: int, rows: int) -> bytes:
    """Write a PNG whose header promises a size, and that holds no pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">2I5B", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def gif_of(columns: int, rows: int) -> bytes:
    """Write a GIF of two bits a pixel that promises a size, and has a tiny frame."""
    content = bytearray(encode(Image.new("1", (3, 2)), "GIF"))
    content[6:10] = struct.pack("<2H", columns, rows)
    return bytes(content)


def declare(content: bytes, columns: int, rows: int) -> bytes:
    """Let a HEIC or an AVIF file declare another size than its pixels have."""
    place = content.index(b"ispe") + 8
    return content[:place] + struct.pack(">2I", columns, rows) + content[place + 8 :]


def media(*brands: bytes, size: int | None = None) -> bytes:
    """The first box of an ISO base media file: its own brand, and others that it is compatible with."""
    box = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", size or len(box) + 4) + box + bytes(100)


FILE = "a PNG, JPEG, BMP, GIF, WebP, TIFF, AVIF, HEIC or PDF file"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", f"The bytes: expected {FILE}, found an empty file."),
        (b"GIF89a" + bytes(50), "found a GIF picture that can't be decoded. Save it as PNG or JPEG."),
        (
            declare(encode(Image.new("L", (64, 64)), "HEIC"), 12_000, 10_000),
            "120,000,000. Scale the picture down.",
        ),
        (declare(encode(Image.new("L", (64, 64)), "HEIC"), 2**31 - 1, 2**31 - 1), "at most 100,000,000 pixels"),
        (declare(encode(Image.fromarray(GREY), "AVIF"), 12_000, 10_000), "120,000,000. Scale the picture down."),
        (declare(encode(Image.new("L", (400, 300)), "HEIC"), 64, 64), "found a damaged one"),
        (gif_of(12_000, 10_000), "expected at most 100,000,000 pixels, found 12,000 x 10,000 = 120,000,000."),
        (gif_of(65_535, 65_535), "expected at most 100,000,000 pixels, found far more."),
        (encode(Image.fromarray(GREY), "PPM"), "found something else"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "found a PostScript document."),
        (png_of(12_000, 10_000), "expected at most 100,000,000 pixels, found 12,000 x 10,000 = 120,000,000."),
        (png_of(2**31 - 1, 2**31 - 1), "expected at most 100,000,000 pixels, found"),
        (png_of(10, 10), "expected a whole picture, found a damaged one"),
        (io.StringIO("text"), "The stream: expected a binary stream, found a stream of text."),
        (io.BytesIO(), "The stream: expected a PNG"),
        (media(b"heic", b"mif1"), "found a damaged one"),
        (media(b"avif", b"mif1"), "found an AVIF picture that can't be decoded. Save it as PNG or JPEG."),
        (7, "The picture: expected a path, bytes, a binary stream, a PIL image or a numpy array, found int."),
        (np.zeros((2, 3, 2), np.uint8), "The array: expected the shape"),
        (np.zeros((0, 3), np.uint8), "found (0, 3)."),
        (np.zeros(9, np.uint8), "found (9,)."),
        (np.broadcast_to(np.uint8(0), (LARGEST, 2)), "expected at most 100,000,000 pixels"),
        (np.zeros((2, 2), np.int64), "expected uint8, uint16, bool or floating-point values, found int64."),
        (np.zeros((2, 2), np.complex64), "found complex64."),
        (np.full((2, 2), np.nan), "expected floating-point values from 0 to 1"),
        (np.full((2, 2), np.inf), "expected floating-point values from 0 to 1"),
        (np.full((2, 2), 200.0), "found values from 200 to 200."),
        (np.full((2, 2), -0.1), "expected floating-point values from 0 to 1"),
        (np.array([["a"]]), "found <U1."),
        (Image.new("F", (2, 2), 9.0), "found values from 9 to 9."),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(source: object, words: str) -> None:
    with pytest.raises(PictureError) as refusal:
        open_picture(source)  # type: ignore[arg-type]
    assert words in str(refusal.value)


OTHERS = [
    (media(b"crx ", b"isom"), "a raw picture of a camera"),
    (media(b"isom", b"mp42"), "a film"),
    (media(b"qt  "), "a film"),
    (b"8BPS\0\1" + bytes(9), "a Photoshop document"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (b"\xff\x0a\x7f", "a JPEG XL picture"),
    (b"PK\3\4" + bytes(9), "a ZIP archive or an office document"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'>", "an SVG drawing"),
    (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made -->\n<SVG>", "an SVG drawing"),
    (b"\n<!DOCTYPE html>\n<title>Not found", "a web page"),
    (b"<html><body><svg>", "a web page"),
    (b"name,wage\n", "text"),
    ("größer ".encode() * 999, "text"),  # of which the first bytes end within a letter
    (b"\x00\x01\x02", "something else"),
    (b"\xfe\xff\x00\x01", "something else"),
]


@pytest.mark.parametrize(("content", "name"), OTHERS, ids=lambda value: str(value)[:30])
def test_a_refusal_says_what_the_file_is(content: bytes, name: str) -> None:
    with pytest.raises(PictureError) as refusal:
        open_picture(content)
    beginning = f"The bytes: expected {FILE}, found {name}. "
    assert str(refusal.value).startswith(beginning)
    assert len(str(refusal.value)) > len(beginning) + 10  # a remedy


MISSING = [
    (media(b"heic", b"mif1", b"heic"), "a HEIC picture"),
    (media(b"mif1", b"heic"), "a HEIC picture"),
    (media(b"heic", size=2**31), "a HEIC picture"),
    (encode(Image.fromarray(GREY), "HEIC"), "a HEIC picture"),
    (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
    (encode(Image.fromarray(GREY), "PDF"), "a PDF document"),
]


@pytest.mark.parametrize(("content", "name"), MISSING, ids=lambda value: str(value)[:30])
@pytest.mark.usefixtures("without_pictures")
def test_without_the_extra_its_command_is_named(content: bytes, name: str) -> None:
    with pytest.raises(PictureError) as refusal:
        open_picture(content)
    expected = f"The bytes: expected a PNG, JPEG, BMP, GIF, WebP, TIFF or AVIF file, found {name}. "
    assert str(refusal.value).startswith(f"{expected}Run: {install_command('pictures')}; or save ")
    iphone = "; on an iPhone: Settings, Camera, Formats, Most Compatible."
    assert str(refusal.value).endswith(iphone) == (name == "a HEIC picture")


@pytest.mark.usefixtures("without_pictures")
def test_without_the_extra_its_files_are_skipped_in_folders() -> None:
    for name in ("IMG_0001.HEIC", "a.heif", "scan.pdf"):
        assert is_other_format(name)
        assert not is_picture(name)
    assert is_picture("a.avif") and is_picture("a.gif")


def test_of_many_frames_the_first_is_decoded() -> None:
    frames = [Image.new("L", (50, 40), shade) for shade in range(200)]
    for format in ("GIF", "AVIF"):
        opened = open_picture(encode(frames[9], format, save_all=True, append_images=frames))
        assert opened.shape[:2] == (40, 50)
        assert np.abs(opened.astype(int) - 9).max() < 2


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.png", "found no such file"), (".", "found a folder"), ("bad\0name.png", "found embedded null")],
)
def test_what_is_no_file_is_refused_by_its_path(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError) as refusal:
        open_picture(tmp_path / name)
    assert str(refusal.value).startswith(str(tmp_path))
    assert words in str(refusal.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_one_may_not_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(encode(Image.fromarray(GREY), "PNG"))
    path.chmod(0)
    with pytest.raises(PictureError, match="permission denied"):
        open_picture(path)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "AVIF", "HEIC"])
def test_every_truncation_is_refused_or_complete(format: str) -> None:
    content = encode(Image.fromarray(COLOURS), format)
    whole = open_picture(content)
    for length in range(len(content)):
        try:
            opened = open_picture(content[:length])
        except PictureError as error:
            assert str(error).startswith("The bytes: expected")
        else:
            np.testing.assert_array_equal(opened, whole)  # only what follows the pixels was missing


@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"RIFF", b"GIF89a"]),
)
def test_any_bytes_are_a_picture_or_a_sentence(content: bytes, start: bytes) -> None:
    try:
        assert open_picture(start + content).dtype == np.uint8
    except PictureError as error:
        assert str(error).startswith("The bytes: expected")


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_any_damage_is_a_picture_or_a_sentence(place: int, value: int) -> None:
    for format in ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "AVIF", "HEIC"):
        content = bytearray(encode(Image.fromarray(COLOURS), format))
        content[place % len(content)] = value
        try:
            assert open_picture(bytes(content)).dtype == np.uint8
        except PictureError as error:
            assert str(error).startswith("The bytes: expected")


def test_pictures_are_known_by_their_suffix() -> None:
    names = ["a.png", "b.JPG", "c.jpeg", "d.bmp", "e.webp", "f.tif", "g.TIFF", "h.jfif", "i.gif", "j.avif"]
    names += ["IMG_0001.HEIC", "scan.pdf"]
    assert all(map(is_picture, names))
    assert not any(map(is_other_format, names))
    assert all(map(is_other_format, ["a.CR2", "b.docx", "c.jp2", "d.svg"]))
    assert not any(
        map(is_other_format, ["a.csv", "b.txt", "c.json", "d.xml", ".DS_Store", "Thumbs.db", "gif", ""])
    )
    assert not any(map(is_picture, ["b.txt", "png", "c.png.txt", "", "d.psd"]))


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_large_jpeg_is_decoded_smaller_and_its_shape_is_known(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture = Image.fromarray(COLOURS).resize((1001, 750), Image.Resampling.BICUBIC)
    content = encode(picture, "JPEG", exif=exif)
    whole = open_picture(content)
    for side, longest in ((900, 1001), (500, 501), (240, 251), (100, 126)):
        page = open_page(content, side=side)
        assert max(page.pixels.shape) == longest
        assert page.shape == whole.shape[:2]
        smaller = np.asarray(Image.fromarray(whole).resize(page.pixels.shape[1::-1], Image.Resampling.BOX))
        assert np.abs(page.pixels.astype(int) - smaller).mean() < 4
    assert open_page(encode(picture, "PNG"), side=100).pixels.shape == (750, 1001, 3)
