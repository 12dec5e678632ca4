"""Digits as strokes, and a hand that draws them on the page."""

from collections.abc import Sequence
from math import cos, radians, sin

from playwright.sync_api import Page

Point = tuple[float, float]
Stroke = Sequence[Point]


def arc(x: float, y: float, wide: float, high: float, start: float, end: float) -> list[Point]:
    """List points of an ellipse around (x, y); the angles, in degrees, go clockwise from the right."""
    steps = max(2, round(abs(end - start) / 20))
    angles = [radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + wide * cos(angle), y + high * sin(angle)) for angle in angles]


DIGITS: dict[str, list[Stroke]] = {
    "0": [arc(50, 50, 26, 38, -90, 270)],
    "1": [[(40, 28), (54, 12), (54, 88)]],
    "2": [[*arc(50, 34, 22, 22, 190, 390), (28, 86), (76, 86)]],
    "3": [[*arc(47, 31, 21, 19, 200, 440), *arc(46, 68, 25, 20, -80, 160)]],
    "4": [[(54, 12), (24, 60), (78, 60)], [(62, 38), (60, 90)]],
    "5": [[(34, 14), (32, 46), *arc(46, 66, 25, 22, -110, 150)], [(34, 14), (72, 13)]],
    "6": [[(66, 12), (40, 40), *arc(50, 66, 22, 21, 180, 540)]],
    "7": [[(26, 16), (74, 15), (44, 88)]],
    "8": [[*arc(50, 31, 18, 18, 90, -270), *arc(50, 69, 23, 20, -90, 270)]],
    "9": [[*arc(50, 34, 21, 21, 0, -360), (68, 60), (60, 88)]],
}
"""Strokes of each digit, in a square of 100 x 100."""


def draw(page: Page, strokes: Sequence[Stroke], left: float = 0.15, top: float = 0.15, size: float = 0.7) -> None:
    """Draw with the mouse; place and size are fractions of the drawing area's width, and of its height."""
    area = page.locator("#pad").bounding_box()
    assert area is not None
    side = size * min(area["width"], area["height"]) / 100
    corner = area["x"] + left * area["width"], area["y"] + top * area["height"]
    for stroke in strokes:
        places = [(corner[0] + x * side, corner[1] + y * side) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()
