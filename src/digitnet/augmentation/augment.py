"""Augmentation: random changes of the training images that keep their labels.

To add one: write the function, and name it in AUGMENTATIONS.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from digitnet.augmentation.affine import affine
from digitnet.augmentation.ink import ink
from digitnet.config import AugmentationName, TrainConfig
from digitnet.networks.preprocessing import make_preprocessing

Augmentation = Callable[[Tensor], Tensor]
"""Images ``(B, 1, rows, columns)`` uint8 in and out; randomness comes only from torch's default generator."""


def none(images: Tensor) -> Tensor:
    """Leave the images as they are."""
    return images


def gentle(images: Tensor) -> Tensor:
    """Rotate, shear and shift half as far as `affine` does, and scale a little less."""
    return affine(images, degrees=5.0, scale=0.08, shear=0.05, pixels=1.0)


AUGMENTATIONS: dict[AugmentationName, Augmentation] = {
    "none": none,
    "gentle": gentle,
    "affine": affine,
    "ink": ink,
}


def make_augmentation(config: TrainConfig) -> Augmentation:
    """Compose the preprocessing that comes before the augmentation with the augmentation of the configuration.

    Photographs, the last images of a batch, have their pen and their paper already, and only get `affine`.
    """
    preprocess = make_preprocessing(config.model.preprocessing).before_augmentation
    augment = AUGMENTATIONS[config.images.augment]
    photographs = round(config.images.photographs * config.images_per_step)
    if not photographs:
        return lambda images: augment(preprocess(images))

    def augment_apart(images: Tensor) -> Tensor:
        others, last = preprocess(images).tensor_split([len(images) - photographs])
        return torch.cat([augment(others), affine(last)])

    return augment_apart
