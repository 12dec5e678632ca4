"""Sheets of paper with digits on them, drawn as pictures."""

import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont


def draw_sheet(path: Path, *lines: str) -> Path:
    """Draw lines of digits, dark on light, each 60 pixels high."""
    picture = Image.new("L", (240, 20 + 90 * max(1, len(lines))), 235)
    for number, line in enumerate(lines):
        font = ImageFont.load_default(size=60)
        ImageDraw.Draw(picture).text((20, 10 + 90 * number), line, fill=20, font=font)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def draw_folder(folder: Path, count: int) -> list[Path]:
    """Fill a folder with sheets of two digits; of each ten, one is blank and one is no picture at all."""
    chance = random.Random(count)
    paths = [folder / f"sheet-{number:03}.png" for number in range(count)]
    for number, path in enumerate(paths):
        draw_sheet(path, *([] if number % 10 == 7 else [f"{chance.randrange(100):02}"]))
        if number % 10 == 4:
            path.write_bytes(b"no picture")
    return paths
