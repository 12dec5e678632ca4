"""Robustness of a network against fifteen corruptions of MNIST's images.

    .venv/bin/python -m benchmarks.corruptions RUN

The kinds and strengths are those of MNIST-C (Mu and Gilmer 2019, arXiv 1906.02337), where a plain CNN has an error
of 8.01% and the best of their defences 6.45%. This is an implementation after the paper, not the paper's files:
their motion blur, edges and interpolation come from other libraries, so compare the numbers with care. No training
in this project uses this module. It evaluates a run on validation images; benchmarks/reader.py measures the
published number, of the shipped reader on the test images.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from digitnet import Dataset
from digitnet.networks.predict import predict_logits
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network

Floats = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]
Predictor = Callable[[UInt8], npt.NDArray[np.int64]]
"""From images ``(N, 28, 28)``, 0 to 255, to predicted digits ``(N,)``."""


def shot_noise(images: Floats, chance: np.random.Generator) -> Floats:
    """Replace each pixel by a Poisson count, with a mean of 3 for white."""
    return chance.poisson(3 * images) / 3


def impulse_noise(images: Floats, chance: np.random.Generator) -> Floats:
    """Turn 17% of the pixels black or white."""
    drawn = chance.random(images.shape)
    return np.where(drawn < 0.085, 0, np.where(drawn < 0.17, 1, images))


def glass_blur(images: Floats, chance: np.random.Generator) -> Floats:
    """Blur, swap every other pixel with a neighbour, twice, and blur again."""
    blurred = np.floor(255 * blur(images, 0.7)) / 255
    everyone = np.arange(len(images))
    for _ in range(2):
        for row in range(27, 1, -1):
            for column in range(27, 1, -1):
                chosen = everyone[chance.random(len(images)) < 0.5]
                down, right = (
                    row + chance.integers(-1, 1, len(chosen)),
                    column + chance.integers(-1, 1, len(chosen)),
                )
                here, there = blurred[chosen, row, column], blurred[chosen, down, right]
                blurred[chosen, row, column], blurred[chosen, down, right] = there, here
    return blur(blurred, 0.7)


def motion_blur(images: Floats, chance: np.random.Generator) -> Floats:
    """Blur each image along a line of up to 45 degrees: to one side, with half a Gaussian of 3 pixels."""
    steps = np.arange(21)
    weights = np.exp(-(steps**2) / 18)
    blurred = np.empty_like(images)
    for index, angle in enumerate(np.radians(chance.uniform(-45, 45, len(images)))):
        kernel = np.zeros((41, 41))
        rows, columns = np.rint(steps * np.sin(angle)).astype(int), np.rint(steps * np.cos(angle)).astype(int)
        np.add.at(kernel, (20 + rows, 20 + columns), weights / weights.sum())
        blurred[index] = cv2.filter2D(images[index], -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return blurred


def shear(images: Floats, chance: np.random.Generator) -> Floats:
    """Shear each image by 0.4 radians, to either side."""
    return moved(images, [[[1, -np.sin(a)], [0, np.cos(a)]] for a in 0.4 * sides(len(images), chance)])


def scale(images: Floats, chance: np.random.Generator) -> Floats:
    """Shrink each image to 70% of its sides."""
    return moved(images, [[[1 / 0.7, 0], [0, 1 / 0.7]]] * len(images))


def rotate(images: Floats, chance: np.random.Generator) -> Floats:
    """Rotate each image by 0.4 radians, to either side."""
    angles = 0.4 * sides(len(images), chance)
    return moved(images, [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])


def brightness(images: Floats, chance: np.random.Generator) -> Floats:
    """Add half of the pixel range."""
    return images + 0.5


def translate(images: Floats, chance: np.random.Generator) -> Floats:
    """Shift each image by three pixels along both axes."""
    offsets = np.stack([3.0 * sides(len(images), chance), 3.0 * sides(len(images), chance)], axis=1)
    return moved(images, [np.eye(2).tolist()] * len(images), offsets)


def stripe(images: Floats, chance: np.random.Generator) -> Floats:
    """Invert the left and the right quarter."""
    corrupted = 1 - images
    corrupted[:, :, 7:21] = images[:, :, 7:21]
    return corrupted


def fog(images: Floats, chance: np.random.Generator) -> Floats:
    """Add thick fog to each image: a fractal, three times as bright as the digit."""
    peak = images.max(axis=(1, 2), keepdims=True)
    clouds = np.stack([fractal(chance)[:28, :28] for _ in images])
    return (images + 3 * clouds) * peak / (peak + 3)


def spatter(images: Floats, chance: np.random.Generator) -> Floats:
    """Add spatters of dark mud."""
    liquid = blur(chance.normal(0.65, 0.3, images.shape), 1)
    drops = blur((liquid > 0.65).astype(np.float64), 1.5)
    drops[drops < 0.8] = 0
    return images * (1 - drops) + 63 / 255 * drops


def dotted_line(images: Floats, chance: np.random.Generator) -> Floats:
    """Draw a dotted line from the left side to the right."""
    ends = chance.integers(0, 27, (len(images), 2))
    dots = np.arange(28) // 2 % 2 == 1
    return images + np.stack([line(0, first, 27, last) for first, last in ends]) * dots


def zigzag(images: Floats, chance: np.random.Generator) -> Floats:
    """Draw a zigzag of two pixels' height from the left side to the right."""
    corrupted = images.copy()
    for image in corrupted:
        start = chance.integers(0, 27)
        slope = np.arctan(chance.integers(-5, 5) / 23)
        corners = int((23 / np.cos(slope) - 2) // 4) + 1
        along = np.concatenate([[0], 4 * np.arange(corners) + 2, [23 / np.cos(slope)]])
        aside = np.concatenate([[0], 2.0 * (-1) ** np.arange(corners), [0]])
        columns = 2 + along * np.cos(slope) - aside * np.sin(slope)
        rows = start + along * np.sin(slope) + aside * np.cos(slope)
        for k in range(len(along) - 1):
            image += line(columns[k], rows[k], columns[k + 1], rows[k + 1])
    return corrupted


def canny_edges(images: Floats, chance: np.random.Generator) -> Floats:
    """Keep only the edges (Canny 1986): Gaussian of 1 pixel, thresholds of 0.1 and 0.2."""
    blurred = np.rint(255 * blur(images, 1)).astype(np.uint8)
    return np.stack([cv2.Canny(image, 25.5, 51, L2gradient=True) for image in blurred]) / 255


CORRUPTIONS: list[Callable[[Floats, np.random.Generator], Floats]] = [
    *(
        shot_noise,
        impulse_noise,
        glass_blur,
        motion_blur,
        shear,
        scale,
        rotate,
        brightness,
        translate,
        stripe,
        fog,
    ),
    *(spatter, dotted_line, zigzag, canny_edges),
]
"""From images ``(N, 28, 28)``, 0 to 1, to corrupted ones, whose values still have to be clipped to the range."""


def blur(images: Floats, sigma: float) -> Floats:
    """Blur each image by a Gaussian of `sigma` pixels; the border is replicated."""
    return np.stack([cv2.GaussianBlur(i, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for i in images])


def sides(count: int, chance: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw -1 or 1, `count` times."""
    return 2 * chance.integers(0, 2, count) - 1


def moved(images: Floats, matrices: list[list[list[float]]], offsets: Floats | None = None) -> Floats:
    """Transform each image by a matrix about its centre and an offset ``(N, 2)``, from output to input."""
    result = np.empty_like(images)
    for index, matrix in enumerate(matrices):
        turn = np.array(matrix)
        offset = 13.5 - turn @ [13.5, 13.5] + (0 if offsets is None else offsets[index])
        whole = np.column_stack([turn, offset])
        result[index] = cv2.warpAffine(
            images[index], whole, (28, 28), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
    return result


def line(column: float, row: float, last_column: float, last_row: float) -> Floats:
    """Draw a soft line ``(28, 28)`` from one point to another, to the right."""
    slope = (last_row - row) / (last_column - column)
    places = np.arange(28)
    distance = np.abs(places[:, None] - row - slope * (places - column)).clip(0, 2.3 - 1e-10)
    drawn = (np.log(1 - distance / 2.3) + 1).clip(0, 1)
    return np.where((places >= np.floor(column)) & (places < np.ceil(last_column)), drawn, 0)


def fractal(chance: np.random.Generator, side: int = 32, decay: float = 1.96) -> Floats:
    """Draw clouds ``(side, side)``, 0 to 1, by the diamond-square algorithm; each level is `decay` times weaker.

    The paper's clouds are 256 wide, and only a corner of 28 is used. So the coarse levels, from 256 down to 64
    pixels, only tilt it, here as well.
    """
    side *= 8
    clouds, step, wobble = np.zeros((side, side)), side, 1.0
    while step >= 2:
        half = step // 2
        corners = clouds[::step, ::step]
        total = corners + np.roll(corners, -1, 0) + np.roll(corners, -1, 1) + np.roll(corners, (-1, -1), (0, 1))
        clouds[half::step, half::step] = total / 4 + wobble * chance.uniform(-1, 1, total.shape)
        middles = clouds[half::step, half::step]
        total = middles + np.roll(middles, 1, 0) + corners + np.roll(corners, -1, 1)
        clouds[::step, half::step] = total / 4 + wobble * chance.uniform(-1, 1, total.shape)
        total = middles + np.roll(middles, 1, 1) + corners + np.roll(corners, -1, 0)
        clouds[half::step, ::step] = total / 4 + wobble * chance.uniform(-1, 1, total.shape)
        step, wobble = half, wobble / decay
    clouds -= clouds.min()
    return clouds / clouds.max()


def measure(predict: Predictor, images: UInt8, labels: UInt8) -> dict[str, float]:
    """Measure the error, 0 to 1, under each corruption; the corrupted images are the same each time."""
    clean = images / 255
    errors = {"none": float((predict(images) != labels).mean())}
    for number, corrupt in enumerate(CORRUPTIONS):
        corrupted = corrupt(clean.copy(), np.random.default_rng((2019, number))).clip(0, 1)
        errors[corrupt.__name__] = float((predict((255 * corrupted).astype(np.uint8)) != labels).mean())
    return errors


def predictor(run: Run, data: Dataset) -> Predictor:
    """Make a predictor from a run's network, which gets the images as they are."""
    network = load_network(run)
    return lambda images: predict_logits(network, images, data.classes).argmax(axis=1)


def main() -> None:
    """Evaluate a run on its validation images."""
    parser = argparse.ArgumentParser(description="Measure a run's network under fifteen corruptions.")
    parser.add_argument("run", type=Path)
    run = Run(parser.parse_args().run)
    data = run.dataset
    errors = measure(predictor(run, data), data.validation.images, data.validation.labels)
    mean = sum(errors[corrupt.__name__] for corrupt in CORRUPTIONS) / len(CORRUPTIONS)
    table = Table("corruption", "error, %")
    for name, error in [*errors.items(), ("mean of the fifteen", mean)]:
        table.add_row(name, f"{100 * error:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
