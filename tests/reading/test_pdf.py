"""Pages of PDF documents: rendered as scanners see them, whatever a document is up to."""

import io
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitnet.errors import PictureError
from digitnet.reading.picture import LARGEST, open_page, open_picture


def scan(*shades: int, size: tuple[int, int] = (100, 140), resolution: int = 300, **options: object) -> bytes:
    """Make a document with a page for each shade: a grey scan with a black mark in its upper left corner."""
    pages = [Image.new("L", size, shade) for shade in shades]
    for page in pages:
        ImageDraw.Draw(page).rectangle((0, 0, size[0] // 4, size[1] // 4), fill=0)
    file = io.BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], resolution=resolution, **options)
    return file.getvalue()


def write(*objects: bytes) -> bytes:
    """Write a document of numbered objects, of which the first is the catalogue."""
    content, places = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, b"".join(places))
    ending = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return content + table + ending % (len(objects) + 1, len(content))


def stream(text: bytes, words: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (words, len(text), text)


def one_page(*, box: bytes = b"0 0 72 144", drawing: bytes = b"", others: tuple[bytes, ...] = ()) -> bytes:
    """Write a document of one page; /X is the object 5."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>" % box
    return write(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page,
        stream(drawing),
        *others,
    )


def test_a_scanned_page_has_the_pixels_of_the_scanner() -> None:
    opened = open_page(scan(200, size=(827, 1169)))
    assert opened.shape == opened.pixels.shape[:2] == (1169, 827)
    assert np.abs(opened.pixels[400:, 300:].astype(int) - 200).max() <= 2
    assert opened.pixels[:280, :190].max() <= 20


def test_a_page_is_rendered_in_colour_over_white() -> None:
    opened = open_picture(one_page(drawing=b"1 0 0 rg 0 72 72 72 re f"))
    assert opened.shape == (600, 300, 3)
    assert opened[100, 100].tolist() == [255, 0, 0]
    assert opened[500, 100].tolist() == [255, 255, 255]


def test_a_page_is_turned_as_the_document_says() -> None:
    upright = one_page(drawing=b"0 72 72 72 re f")
    turned = upright.replace(b"/Type/Page/Parent", b"/Rotate 90/Type/Page/Parent")  # clockwise
    np.testing.assert_array_equal(open_picture(turned), np.rot90(open_picture(upright), -1))


def test_a_page_of_a_number_is_rendered_and_all_are_counted() -> None:
    content = scan(50, 120, 190)
    for number, shade in enumerate((50, 120, 190), start=1):
        opened = open_page(content, number)
        assert opened.pages == 3
        assert abs(int(opened.pixels[-1, -1, 0]) - shade) <= 2
    with pytest.raises(
        PictureError, match=r"^The bytes: expected at least 4 pages, found 3\. Name another page\.$"
    ):
        open_page(content, 4)


def test_of_a_thousand_pages_only_one_is_rendered() -> None:
    endless = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>"
    kids = b"3 0 R " + b" ".join(b"%d 0 R" % number for number in range(17, 1016))
    opened = open_page(
        write(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[%s]/Count 1000>>" % kids,
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>",
            stream(b"/X Do"),
            *nested_forms(levels=12),
            *[endless] * 999,
        )
    )
    assert (opened.pages, opened.shape) == (1000, (300, 300))


def nested_forms(levels: int) -> list[bytes]:
    """Make the objects from 5 on: each draws the next one ten times."""
    words = b"/Type/XObject/Subtype/Form/BBox[0 0 72 72]/Resources<</XObject<</X %d 0 R>>>>"
    return [
        *(stream(b"/X Do " * 10, words % (6 + level)) for level in range(levels - 1)),
        stream(b"0 0 m 72 72 l S", b"/Type/XObject/Subtype/Form/BBox[0 0 72 72]"),
    ]


def test_a_document_that_would_be_rendered_for_ever_is_refused() -> None:
    content = one_page(drawing=b"/X Do", others=tuple(nested_forms(levels=30)))
    assert len(content) < 7_000
    with pytest.raises(
        PictureError, match=r"^The bytes: expected a page that .*, found one that .*as PNG or JPEG\.$"
    ):
        open_page(content)


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        (b"0 0 28346 28346", (4000, 4000)),  # 10 m x 10 m
        (b"0 0 28346 72", (11, 4000)),
        (b"0 0 595 842", (3509, 2480)),  # A4
        (b"0 0 0.001 0.001", (1, 1)),
    ],
)
def test_a_page_has_few_pixels_however_large_it_is(box: bytes, shape: tuple[int, int]) -> None:
    assert open_page(one_page(box=box)).shape == shape


@pytest.mark.parametrize("box", [b"0 0 0 0", b"0 0 -9 -9", b"0 0 1e38 1e38", b"0 0 9e99 9e99", b"0 0 x y", b""])
def test_a_page_without_a_sound_size_is_a_picture_all_the_same(box: bytes) -> None:
    opened = open_page(one_page(box=box)).pixels
    assert opened.size and opened.size <= 3 * 4000**2
    assert (opened == 255).all()


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    side = 40_000
    packer = zlib.compressobj()
    pixels = b"".join(packer.compress(bytes(side)) for _ in range(side // 100)) + packer.flush()
    words = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray"
    image = stream(pixels, words % (side, side) + b"/Filter/FlateDecode")
    with pytest.raises(PictureError) as refusal:
        open_page(one_page(drawing=b"72 0 0 144 0 0 cm /X Do", others=(image,)))
    assert f"expected at most {LARGEST:,} pixels, found 40,000 x 40,000 = 1,600,000,000." in str(refusal.value)


@pytest.mark.parametrize("version", [b"/V 1/R 2", b"/V 2/R 3/Length 128"])
def test_a_document_with_a_password_is_refused_by_name(version: bytes) -> None:
    # No password fits these, so neither does the empty one, with which a document opens without being asked.
    trailer = b"/ID[<00><00>]/Encrypt<</Filter/Standard%s/P -4/O<%s>/U<%s>>>" % (version, b"1f" * 32, b"2e" * 32)
    content = one_page().replace(b"/Root 1 0 R", b"/Root 1 0 R" + trailer)
    with pytest.raises(PictureError) as refusal:
        open_page(content)
    assert str(refusal.value) == (
        "The bytes: expected a document that opens without a password, found one that asks for it. "
        "Save it without one."
    )


EMPTY = write(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")
CIRCLE = write(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R]/Count 1>>")


@pytest.mark.parametrize(
    "content", [EMPTY, CIRCLE, b"%PDF-1.7\n", b"%PDF-1.7\n%%EOF", b"%PDF-" + bytes(99) + b"%%EOF"]
)
def test_a_damaged_document_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(PictureError) as refusal:
        open_page(content)
    assert str(refusal.value).startswith("The bytes: expected a whole document with pages, found one ")
    assert str(refusal.value).endswith(" Save or copy it again.")


def test_every_truncation_of_a_document_is_refused() -> None:
    content = scan(200, 200)
    for length in range(9, len(content) - 8, len(content) // 12):
        with pytest.raises(PictureError, match=r"found one whose end is missing\."):
            open_page(content[:length])
    for length in (len(content), len(content.rstrip())):
        assert open_page(content[:length] + b"\n\0\0\n").pages == 2  # as some scanners pad their files


def test_threads_may_read_documents_at_the_same_time() -> None:
    shades = [20, 90, 160, 230]
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(open_page, [scan(shade) for shade in shades]))
    assert [page.pixels[-1, -1, 0] for page in opened] == pytest.approx(shades, abs=2)
