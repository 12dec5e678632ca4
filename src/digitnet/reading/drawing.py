"""What was read, drawn for a person: boxes and answers on the picture, the stages of each digit below it."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from digitnet.files import make_folder, write_whole
from digitnet.finding.ink import UInt8
from digitnet.modelfile import Decision
from digitnet.reading.result import Digit, Line, Reading
from digitnet.reading.stages import Stages

PAPER, TEXT, QUIET, BORDER = "#ffffff", "#1f2328", "#656d76", "#d0d7de"
COLOURS: dict[Decision, str] = {"accepted": "#116329", "not sure": "#bc4c00", "not a digit": "#656d76"}
"""Of the decisions; each is also written as a word, for those who can't tell the colours apart."""

WIDTH = 1200  # of the whole drawing, in pixels
HIGHEST = 1200  # of the picture in it
MARGIN = 24
TILE = 88  # side of each stage of a digit
GAP = 12
ACROSS = (WIDTH - 2 * MARGIN - 80) // (TILE + GAP)  # digits in a row of the strip, beside its headings


def save_drawing(picture: UInt8, reading: Reading, path: Path) -> None:
    """Write `draw_reading` as a PNG file; raise StorageError if that fails."""
    make_folder(path.parent)
    content = io.BytesIO()
    draw_reading(picture, reading).save(content, "PNG")
    write_whole(path, content.getvalue())


def draw_reading(picture: UInt8, reading: Reading, title: str | None = None) -> Image.Image:
    """Draw a picture with a box around each digit, and the stages of each below; RGB, 1,200 pixels wide.

    `picture` is what `open_picture` returned: grey ``(rows, columns)`` or RGB ``(rows, columns, 3)``. The title is
    by default what was read.
    """
    photograph = _mark(picture, reading)
    strips = [reading.digits[start : start + ACROSS] for start in range(0, len(reading.digits), ACROSS)]
    strip_height = 3 * (TILE + 6) + 56 + GAP
    heading = 64
    height = heading + photograph.height + MARGIN + strip_height * len(strips) + MARGIN
    canvas = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    title = title or " / ".join(reading.text.splitlines()) or "No digit was found."
    draw.text((MARGIN, heading // 2 + 4), _shorten(title, WIDTH - 2 * MARGIN, 32), TEXT, font_size=32, anchor="lm")
    canvas.paste(photograph, ((WIDTH - photograph.width) // 2, heading))
    for number, strip in enumerate(strips):
        _draw_strip(canvas, picture, strip, heading + photograph.height + MARGIN + number * strip_height)
    return canvas


def draw_stages(stages: Stages) -> dict[str, Image.Image]:
    """Draw what precedes a reading: the ink, the components each in its colour, the candidates with answers."""
    components = np.full((*stages.ink.mask.shape, 3), 255, np.uint8)
    for number, one in enumerate(stages.components):
        window = components[one.top : one.bottom, one.left : one.right]
        hue = 137.5 * number % 360  # degrees; the golden angle keeps the colours of neighbours far apart
        window[one.mask > 0] = ImageColor.getrgb(f"hsl({hue}, 70%, 40%)")
    candidates = Reading(tuple(Line(tuple(group.digit for group in line.groups)) for line in stages.candidates))
    return {
        "ink": Image.fromarray(255 - 255 * stages.ink.mask),
        "components": Image.fromarray(components),
        "candidates": draw_reading(stages.picture, candidates, f"{len(candidates.digits)} candidates"),
    }


def _mark(picture: UInt8, reading: Reading) -> Image.Image:
    """Scale the picture to fit, and draw a box around each digit with its answer above."""
    image = Image.fromarray(picture).convert("RGB")
    scale = min((WIDTH - 2 * MARGIN) / image.width, HIGHEST / image.height)
    image = _resize(image, scale, crisp=scale > 4)
    draw = ImageDraw.Draw(image)
    for digit in reading.digits:
        left, top = digit.box.left * scale, digit.box.top * scale
        right, bottom = left + digit.box.width * scale, top + digit.box.height * scale
        colour = COLOURS[digit.decision]
        draw.rectangle((left - 4, top - 4, right + 3, bottom + 3), outline=colour, width=3)
        text = _describe(digit)
        wide, high = draw.textbbox((0, 0), text, font_size=18)[2] + 10, 26
        left, top = min(max(left - 4, 0), max(image.width - wide, 0)), max(top - 4 - high, 0)
        draw.rectangle((left, top, left + wide, top + high), fill=colour)
        draw.text((left + 5, top + high / 2), text, PAPER, font_size=18, anchor="lm")
    return image


def _draw_strip(canvas: Image.Image, picture: UInt8, digits: Sequence[Digit], top: int) -> None:
    """Draw the stages of some digits side by side: cut out, its ink, what the network saw, the answer."""
    draw = ImageDraw.Draw(canvas)
    draw.line((MARGIN, top - GAP, WIDTH - MARGIN, top - GAP), BORDER)
    for row, name in enumerate(("picture", "ink", "28 x 28")):
        draw.text((MARGIN, top + row * (TILE + 6) + TILE / 2), name, QUIET, font_size=16, anchor="lm")
    for column, digit in enumerate(digits):
        left = MARGIN + 80 + column * (TILE + GAP)
        box = digit.box
        cut = picture[box.top : box.top + box.height, box.left : box.left + box.width]
        for row, stage in enumerate((cut, digit.ink, digit.image)):
            scale, upper = TILE / max(stage.shape[:2]), top + row * (TILE + 6)
            tile = _resize(Image.fromarray(stage).convert("RGB"), scale, crisp=scale > 2)
            canvas.paste(tile, (left + (TILE - tile.width) // 2, upper + (TILE - tile.height) // 2))
            draw.rectangle((left, upper, left + TILE - 1, upper + TILE - 1), outline=BORDER)
        middle, below = left + TILE / 2, top + 3 * (TILE + 6)
        draw.text((middle, below + 12), _describe(digit), TEXT, font_size=18, anchor="mm")
        draw.text((middle, below + 34), digit.decision, COLOURS[digit.decision], font_size=15, anchor="mm")


def _describe(digit: Digit) -> str:
    """Return the answer and its probability in whole percent, never rounded up to 100."""
    if digit.decision == "not a digit":
        return "none"
    doubt = "" if digit.decision == "accepted" else "?"
    return f"{digit.label}{doubt} {min(int(100 * digit.probability), 99)}%"


def _resize(image: Image.Image, scale: float, *, crisp: bool) -> Image.Image:
    size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    return image.resize(size, Image.Resampling.NEAREST if crisp else Image.Resampling.LANCZOS)


def _shorten(text: str, width: int, size: int) -> str:
    """Shorten a text that is wider than `width` pixels."""
    while ImageFont.load_default(size).getlength(text) > width:
        text = text[:-4] + "..."
    return text
