"""From a page to a picture of it: light, shadows, lens, sensor and compression."""

import cv2
import numpy as np

from digitnet.photographs.strokes import Float32, Generator, UInt8, smooth_noise


def light(colour: Float32, rng: Generator, falloff: float) -> Float32:
    """Light a page ``(rows, columns, 3)`` unevenly: in its corners and across, `falloff` of it is lost."""
    rows, columns = colour.shape[:2]
    y, x = np.linspace(-1, 1, rows, dtype=np.float32)[:, None], np.linspace(-1, 1, columns, dtype=np.float32)
    angle, share = rng.uniform(0, 2 * np.pi), rng.random()
    across = (np.cos(angle) * x + np.sin(angle) * y + 1.4) / 2.8
    corners = ((x - rng.normal(0, 0.2)) ** 2 + (y - rng.normal(0, 0.2)) ** 2) / 2
    field = 1 - falloff * np.clip(share * across + (1 - share) * corners, 0, 1)
    if rng.random() < 0.3:  # a hand's or a telephone's soft shadow
        shadow = 1 / (
            1 + np.exp(-rng.uniform(2, 12) * (smooth_noise((rows, columns), rng, 3) - rng.uniform(0, 1)))
        )
        field = field * (1 - 0.6 * falloff * shadow)
    cast = 1 + rng.normal(0, 0.03, 3) + rng.normal(0, 0.06 * falloff, 3) * across[..., None]
    return np.asarray(colour * field[..., None] * cast, np.float32)


def take(colour: Float32, rng: Generator, *, blur: float, noise: float) -> UInt8:
    """Take a picture of a lit page: defocused by `blur` pixels, with `noise` of that fraction, saved as JPEG."""
    if blur > 0.3:
        colour = cv2.GaussianBlur(colour, (0, 0), blur).astype(np.float32, copy=False)
    exposure = rng.uniform(0.75, 1.05)
    shape = colour.shape[:2]
    grain = rng.standard_normal((shape[0], shape[1], 1)).astype(np.float32)
    if rng.random() < 0.5:
        grain = 2 * cv2.GaussianBlur(grain, (0, 0), 0.7)[..., None].astype(np.float32, copy=False)
    picture = np.clip(255 * (exposure * colour + noise * grain), 0, 255).astype(np.uint8)
    quality = int(rng.integers(45, 96))
    _, coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1]).astype(np.uint8, copy=False)


def coarsen(picture: UInt8, scale: float, rng: Generator) -> UInt8:
    """Make a picture smaller by `scale`, below 1, and as large again, as whoever enlarges a thumbnail does."""
    rows, columns = picture.shape[:2]
    small = max(4, round(columns * scale)), max(4, round(rows * scale))
    coarse = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    ways = cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC
    return cv2.resize(coarse, (columns, rows), interpolation=ways[int(rng.integers(3))]).astype(
        np.uint8, copy=False
    )
