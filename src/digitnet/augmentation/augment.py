"""Changes of the training images that keep their label.

To add one: write the function, and name it in AUGMENTATIONS.
"""

from collections.abc import Callable

from torch import Tensor

from digitnet.augmentation.affine import affine
from digitnet.augmentation.ink import ink
from digitnet.config import TrainConfig
from digitnet.errors import look_up
from digitnet.networks.preprocessing import preparation

Augmentation = Callable[[Tensor], Tensor]
"""Images ``(B, 1, rows, columns)`` uint8 in, the same shape and type out; random by torch's generator alone."""


def none(images: Tensor) -> Tensor:
    """Leave the images as they are."""
    return images


def gentle(images: Tensor) -> Tensor:
    """Turn, slant and move half as far as `affine` does, and stretch a little less."""
    return affine(images, degrees=5.0, scale=0.08, shear=0.05, pixels=1.0)


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": none,
    "gentle": gentle,
    "affine": affine,
    "ink": ink,
}


def augmentation(name: str) -> Augmentation:
    """Look up an augmentation; raise UsageError with the nearest name."""
    return look_up("augmentation", name, AUGMENTATIONS)


def make_augmentation(config: TrainConfig) -> Augmentation:
    """Change images as the configuration asks for, once they are prepared for its network."""
    prepare, change = preparation(config.model.preprocessing).prepare, augmentation(config.images.augment)
    return lambda images: change(prepare(images))
