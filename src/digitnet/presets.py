"""Named configurations, and configurations from TOML files: ``digitnet train blog --steps 2000``."""

import shlex
import tomllib
from pathlib import Path
from typing import Any

from digitnet.config import Images, Model, Optimisation, Running, TrainConfig
from digitnet.errors import UsageError, look_up
from digitnet.wording import flag

PRESETS: dict[str, TrainConfig] = {
    # The blog's program, as public programs of the same exercise complete it (docs/blog-claims.md).
    "blog": TrainConfig(
        model=Model(network="blog", initial_weights="truncated_normal", preprocessing="scale", tta=1),
        optimisation=Optimisation(
            steps=10_000,
            learning_rate=0.0005,
            schedule="constant",
            warmup=0.0,
            beta1=0.9,
            beta2=0.999,
            label_smoothing=0.0,
            freeze_after=1.0,
        ),
        running=Running(log_every=100, validate_every=500, save_every=500),
    ),
    # One epoch: more accurate than the blog, in seconds. Chosen on the last 10,000 training images (docs/LOG.md).
    "fast": TrainConfig(),
    # The most accurate: 10 epochs of images that are deskewed, then rotated, scaled, sheared and shifted.
    # Validation takes five times as long with test-time augmentation, so it runs every second epoch.
    "best": TrainConfig(
        model=Model(network="best"),
        optimisation=Optimisation(
            steps=4_300, learning_rate=0.01, beta1=0.9, beta2=0.99, label_smoothing=0.05, freeze_after=1.0
        ),
        images=Images(augment="affine"),
        running=Running(log_every=100, validate_every=860, save_every=500),
    ),
    # Few parameters: 14 epochs.
    "tiny": TrainConfig(
        model=Model(network="tiny"),
        optimisation=Optimisation(
            steps=6_000, learning_rate=0.01, beta1=0.9, beta2=0.99, label_smoothing=0.05, freeze_after=1.0
        ),
        images=Images(augment="affine"),
        running=Running(log_every=100, validate_every=860, save_every=500),
    ),
    # Even fewer: 24 epochs. Such a small network does not overfit, and label smoothing would only cost accuracy.
    "micro": TrainConfig(
        model=Model(network="micro"),
        optimisation=Optimisation(
            steps=10_320, learning_rate=0.02, beta1=0.9, beta2=0.99, label_smoothing=0.0, freeze_after=1.0
        ),
        images=Images(augment="gentle"),
        running=Running(log_every=100, validate_every=860, save_every=500),
    ),
    # Other people's handwriting, on paper and screens, and everything that is not a digit.
    "reader": TrainConfig(
        model=Model(network="reader", preprocessing="scale", tta=1),
        optimisation=Optimisation(
            steps=12_900, learning_rate=0.01, beta1=0.9, beta2=0.99, label_smoothing=0.05, freeze_after=1.0
        ),
        images=Images(augment="ink", outliers=0.2, photographs=0.3, characters="omniglot"),
        running=Running(log_every=100, validate_every=430, save_every=430),
    ),
}
"""Every preset by its name. `fast` is the default of TrainConfig and of `digitnet train`."""


def preset(name: str, **fields: Any) -> TrainConfig:
    """Look up a preset, with other values of some fields: `preset("blog", seed=1)`.

    Raises UsageError with the nearest name, or for a value that is not allowed, TypeError for an unknown field.
    """
    return look_up("preset", name, PRESETS).replace(**fields)


def nearest_preset(config: TrainConfig) -> str:
    """Name the preset of the same network, or of any if there is none, that differs in the fewest fields."""

    def distance(name: str) -> tuple[bool, int]:
        differences = config.differences(PRESETS[name])
        return "network" in differences, len(differences)

    return min(PRESETS, key=distance)


def to_command(config: TrainConfig) -> str:
    """Write the command line of a run: the nearest preset, and the fields that differ from it."""
    name = nearest_preset(config)
    words = ["digitnet", "train", name]
    for field in config.differences(PRESETS[name]):
        value = config.value(field)
        if value is True:  # no preset turns a switch on, so it is never turned off
            words.append(flag(field))
        elif isinstance(value, tuple):
            words += [flag(field), *map(str, value)]
        elif str(value).startswith("-"):
            words.append(f"{flag(field)}={value}")  # otherwise it would be read as a flag
        else:
            words += [flag(field), str(value)]
    return shlex.join(words)


def read_config(path: Path) -> TrainConfig:
    """Read a TOML file of fields, with or without the tables of a run's config.toml.

    A line such as ``preset = "blog"`` names the preset that it starts from, by default `fast`. Raises UsageError.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is not TOML: {error}"
        raise UsageError(f"{path}: expected a TOML file, could not read one ({reason}). Correct it.") from error
    try:
        start = preset(str(values.pop("preset", "fast")))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    return start.with_values(values, str(path))
