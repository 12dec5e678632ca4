"""What was read, drawn for a person: boxes and answers on the picture, the stages of each digit below it."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from digitnet.files import make_folder, write_whole
from digitnet.modelfile import Decision
from digitnet.reading.ink import UInt8
from digitnet.reading.result import Box, Digit, Line, Reading
from digitnet.reading.stages import Stages

PAPER, PALE, TEXT, QUIET, BORDER = "#ffffff", "#e6eaef", "#1f2328", "#656d76", "#d0d7de"
COLOURS: dict[Decision, str] = {"accepted": "#116329", "not sure": "#bc4c00", "not a digit": "#656d76"}
"""Of the decisions; each is also written as a word, for those who can't tell the colours apart."""

Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom."""

WIDTH = 1200  # of the whole drawing, in pixels
HIGHEST = 1200  # of the picture in it
MARGIN = 24
TILE = 88  # side of each stage of a digit
GAP = 12
LARGE, SMALL = 28, 15  # size of an answer, and of its probability and decision
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
    strip_height = 3 * (TILE + 6) + 82 + GAP
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
    frames = [_frame(digit.box, scale) for digit in reading.digits]
    tags = [
        _place_tag(draw, digit, frame, image.width) for digit, frame in zip(reading.digits, frames, strict=True)
    ]
    for digit, frame in zip(reading.digits, frames, strict=True):
        draw.rectangle(frame, outline=COLOURS[digit.decision], width=3)
    for number, (digit, tag) in enumerate(zip(reading.digits, tags, strict=True)):
        others = [*frames[:number], *frames[number + 1 :], *tags[:number], *tags[number + 1 :]]
        _draw_tag(draw, digit, tag, others, image.width)
    return image


def _frame(box: Box, scale: float) -> Rectangle:
    """Return the frame around a mark in the drawing."""
    left, top = box.left * scale, box.top * scale
    return left - 4, top - 4, left + box.width * scale + 3, top + box.height * scale + 3


def _place_tag(draw: ImageDraw.ImageDraw, digit: Digit, frame: Rectangle, width: int) -> Rectangle:
    """Return where the answer is written: above the frame, the larger the higher this is."""
    high = 1.2 * min(max(0.35 * (frame[3] - frame[1]), SMALL), LARGE)
    wide = 10 + draw.textlength(_answer(digit), font_size=_size(digit, high / 1.2))
    left, top = min(max(frame[0], 0), max(width - wide, 0)), max(frame[1] - high, 0)
    return left, top, left + wide, top + high


def _draw_tag(
    draw: ImageDraw.ImageDraw, digit: Digit, tag: Rectangle, others: Sequence[Rectangle], width: int
) -> None:
    """Write the answer into its tag and, unless it would cover others or the border, the probability beside it."""
    left, top, right, bottom = tag
    base = bottom - 0.22 * (bottom - top)
    probability = _probability(digit)
    longer = (left, top, right + draw.textlength(probability, font_size=SMALL) + 9, bottom)
    if probability and longer[2] <= width and not any(_overlap(longer, other) for other in others):
        draw.rectangle(longer, fill=COLOURS[digit.decision])
        draw.text((right + 3, base), probability, PALE, font_size=SMALL, anchor="ls")
    else:
        draw.rectangle(tag, fill=COLOURS[digit.decision])
    draw.text((left + 5, base), _answer(digit), PAPER, font_size=_size(digit, (bottom - top) / 1.2), anchor="ls")


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


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
        draw.text((middle, below + 28), _answer(digit), TEXT, font_size=_size(digit, LARGE), anchor="ms")
        draw.text((middle, below + 50), _probability(digit), QUIET, font_size=SMALL, anchor="ms")
        draw.text((middle, below + 70), digit.decision, COLOURS[digit.decision], font_size=SMALL, anchor="ms")


def _answer(digit: Digit) -> str:
    """Return the label, with ? where it is not accepted."""
    if digit.decision == "not a digit":
        return "none"
    return digit.label if digit.decision == "accepted" else f"{digit.label}?"


def _size(digit: Digit, size: float) -> float:
    """Return the size of the answer where a digit has `size`; a word is written smaller."""
    return 0.65 * size if len(_answer(digit)) > 2 else size


def _probability(digit: Digit) -> str:
    return "" if digit.decision == "not a digit" else percent(digit.probability)


def percent(probability: float) -> str:
    """Return a probability in percent with a decimal; 100.0% is only what is certain."""
    rounded = f"{probability:.1%}"
    return "99.9%" if rounded == "100.0%" and probability < 1 else rounded


def _resize(image: Image.Image, scale: float, *, crisp: bool) -> Image.Image:
    size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    return image.resize(size, Image.Resampling.NEAREST if crisp else Image.Resampling.LANCZOS)


def _shorten(text: str, width: int, size: int) -> str:
    """Shorten a text that is wider than `width` pixels."""
    while ImageFont.load_default(size).getlength(text) > width:
        text = text[:-4] + "..."
    return text
