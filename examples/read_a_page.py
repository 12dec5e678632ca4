"""Lay MNIST's digits on a page, as if photographed, and read it: python examples/read_a_page.py [PICTURE]."""

import sys
from pathlib import Path

import cv2
import numpy as np

from digitnet import Reader, load_dataset
from digitnet.reading.drawing import save_drawing
from digitnet.reading.picture import open_picture


def draw_page() -> np.ndarray:
    """Write three lines of digits with blue ink on lined paper, in the shadow of a hand: (500, 900, 3) uint8."""
    test = load_dataset("mnist").test
    page = np.full((500, 900, 3), (236, 232, 220), np.float32)
    page[140::130] = (170, 190, 210)  # the lines
    for place, image in enumerate(test.images[:18]):
        ink = cv2.resize(image, (84, 84), interpolation=cv2.INTER_CUBIC).astype(np.float32)[:, :, None] / 255
        top, left = 58 + place // 6 * 130, 90 + place % 6 * 120 + place * 37 % 23
        page[top : top + 84, left : left + 84] *= 1 - ink * (0.85, 0.75, 0.35)
    shadow = np.linspace(1, 0.6, 900)[None, :, None]
    return (page * shadow).clip(0, 255).astype(np.uint8)


picture = open_picture(sys.argv[1]) if len(sys.argv) > 1 else draw_page()
reading = Reader().read(picture)
print(reading.text)
save_drawing(picture, reading, Path("reading.png"))
print("What it saw: reading.png")
