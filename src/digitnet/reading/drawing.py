"""A reading drawn for a person: the picture with boxes and answers on it, and below what became of each digit."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from digitnet.files import make_folder, write_whole
from digitnet.modelfile import Decision
from digitnet.reading.answer import Digit, Reading
from digitnet.reading.ink import UInt8

PAPER, TEXT, QUIET, RULE = "#ffffff", "#1f2328", "#656d76", "#d0d7de"
COLOURS: dict[Decision, str] = {"accepted": "#116329", "not sure": "#bc4c00", "not a digit": "#656d76"}
"""Of the decisions; each also stands there as a word, so nothing rests on telling colours apart."""

WIDTH = 1200  # of the whole drawing, in pixels
HIGHEST = 1200  # of the picture in it
MARGIN = 24
TILE = 88  # side of each stage of a digit
GAP = 12
ACROSS = (WIDTH - 2 * MARGIN - 80) // (TILE + GAP)  # digits in a row of the strip, beside its headings


def save_drawing(picture: UInt8, reading: Reading, path: Path) -> None:
    """Write the drawing of what was read from `picture` as a PNG file; raise StorageError where it can't be.

    `picture` is what `open_picture` gave: grey ``(rows, columns)`` or RGB ``(rows, columns, 3)``.
    """
    make_folder(path.parent)
    content = io.BytesIO()
    draw_reading(picture, reading).save(content, "PNG")
    write_whole(path, content.getvalue())


def draw_reading(picture: UInt8, reading: Reading) -> Image.Image:
    """Draw the picture with a box about each digit, and a strip of the stages of each; RGB, 1,200 pixels wide."""
    photograph = _mark(picture, reading)
    strips = [reading.digits[start : start + ACROSS] for start in range(0, len(reading.digits), ACROSS)]
    tall = 3 * (TILE + 6) + 56 + GAP
    heading = 64
    canvas = Image.new("RGB", (WIDTH, heading + photograph.height + MARGIN + tall * len(strips) + MARGIN), PAPER)
    draw = ImageDraw.Draw(canvas)
    says = " / ".join(reading.text.splitlines()) or "No digit was found."
    draw.text((MARGIN, heading // 2 + 4), _fitting(says, WIDTH - 2 * MARGIN, 32), TEXT, _font(32), anchor="lm")
    canvas.paste(photograph, ((WIDTH - photograph.width) // 2, heading))
    top = heading + photograph.height + MARGIN
    for strip in strips:
        _draw_strip(canvas, draw, picture, strip, top)
        top += tall
    return canvas


def _mark(picture: UInt8, reading: Reading) -> Image.Image:
    """Scale the picture to fit, and draw a box about each digit with its answer above."""
    image = Image.fromarray(picture).convert("RGB")
    scale = min((WIDTH - 2 * MARGIN) / image.width, HIGHEST / image.height)
    image = image.resize(
        (max(round(image.width * scale), 1), max(round(image.height * scale), 1)),
        Image.Resampling.NEAREST if scale > 4 else Image.Resampling.LANCZOS,
    )
    draw = ImageDraw.Draw(image)
    for digit in reading.digits:
        left, top = digit.box.left * scale, digit.box.top * scale
        right, bottom = left + digit.box.width * scale, top + digit.box.height * scale
        colour = COLOURS[digit.decision]
        draw.rectangle((left - 4, top - 4, right + 3, bottom + 3), outline=colour, width=3)
        says = _says(digit)
        box = draw.textbbox((0, 0), says, _font(18))
        wide, high = box[2] + 10, 26
        left, top = min(max(left - 4, 0), max(image.width - wide, 0)), max(top - 4 - high, 0)
        draw.rectangle((left, top, left + wide, top + high), fill=colour)
        draw.text((left + 5, top + high / 2), says, PAPER, _font(18), anchor="lm")
    return image


def _draw_strip(
    canvas: Image.Image, draw: ImageDraw.ImageDraw, picture: UInt8, digits: Sequence[Digit], top: int
) -> None:
    """Lay the stages of some digits below each other: cut out, its ink, what the network saw, what it says."""
    draw.line((MARGIN, top - GAP, WIDTH - MARGIN, top - GAP), RULE)
    for row, name in enumerate(("picture", "ink", "28 x 28")):
        draw.text((MARGIN, top + row * (TILE + 6) + TILE / 2), name, QUIET, _font(16), anchor="lm")
    for column, digit in enumerate(digits):
        left = MARGIN + 80 + column * (TILE + GAP)
        box = digit.box
        cut = picture[box.top : box.top + box.height, box.left : box.left + box.width]
        for row, stage in enumerate((cut, digit.ink, digit.image)):
            tile = _fit(Image.fromarray(stage).convert("RGB"))
            place = left + (TILE - tile.width) // 2, top + row * (TILE + 6) + (TILE - tile.height) // 2
            canvas.paste(tile, place)
            draw.rectangle(
                (left, top + row * (TILE + 6), left + TILE - 1, top + row * (TILE + 6) + TILE - 1), outline=RULE
            )
        middle, below = left + TILE / 2, top + 3 * (TILE + 6)
        draw.text((middle, below + 12), _says(digit), TEXT, _font(18), anchor="mm")
        draw.text((middle, below + 34), digit.decision, COLOURS[digit.decision], _font(15), anchor="mm")


def _says(digit: Digit) -> str:
    """The answer and its probability; for what is no digit, only that."""
    if digit.decision == "not a digit":
        return "none"
    return f"{digit.label}{'' if digit.decision == 'accepted' else '?'} {_percent(digit.probability)}"


def _percent(share: float) -> str:
    """Whole percent, never rounded up to certainty."""
    return f"{min(int(100 * share), 99)}%"


def _fit(tile: Image.Image) -> Image.Image:
    scale = TILE / max(tile.size)
    size = max(round(tile.width * scale), 1), max(round(tile.height * scale), 1)
    return tile.resize(size, Image.Resampling.NEAREST if scale > 2 else Image.Resampling.LANCZOS)


def _fitting(text: str, width: int, size: int) -> str:
    """Shorten a text that is wider than `width` pixels."""
    while _font(size).getlength(text) > width:
        text = text[:-4] + "..."
    return text


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # it is, given a size
    return font
