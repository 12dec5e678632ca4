"""Changes of the training images that keep their label.

To add one: write the function, and name it in AUGMENTATIONS.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from digitnet.config import TrainConfig
from digitnet.errors import UsageError, nearest
from digitnet.training.affine import affine
from digitnet.training.ink import ink
from digitnet.training.prepare import preparation

Augmentation = Callable[[Tensor], Tensor]
"""Images ``(B, 1, rows, columns)`` uint8 in, the same shape and type out; random by torch's generator alone."""


def none(images: Tensor) -> Tensor:
    """Leave the images as they are."""
    return images


def gentle(images: Tensor) -> Tensor:
    """Turn, slant and move half as far as `affine` does, and stretch a little less."""
    return affine(images, degrees=5.0, scale=0.08, shear=0.05, pixels=1.0)


def shift(images: Tensor, pixels: int = 2) -> Tensor:
    """Move each image by up to `pixels` in each direction; what comes in from outside is background, 0."""
    count, _, rows, columns = images.shape
    padded = F.pad(images, (pixels, pixels, pixels, pixels))
    windows = padded.unfold(2, rows, 1).unfold(3, columns, 1)  # (B, 1, 2p + 1, 2p + 1, rows, columns), a view
    down, right = torch.randint(0, 2 * pixels + 1, (2, count)).to(images.device)
    return windows[torch.arange(count, device=images.device), :, down, right]


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": none,
    "shift": shift,
    "gentle": gentle,
    "affine": affine,
    "ink": ink,
}


def augmentation(name: str) -> Augmentation:
    """Look up an augmentation; raise UsageError with the nearest name."""
    if name not in AUGMENTATIONS:
        raise UsageError(f"There is no augmentation {name!r}. {nearest(name, AUGMENTATIONS)}")
    return AUGMENTATIONS[name]


def make_augmentation(config: TrainConfig) -> Augmentation:
    """Change images as the configuration asks for, once they are prepared for its network."""
    prepare, change = preparation(config.prepare).prepare, augmentation(config.augment)
    return lambda images: change(prepare(images))
