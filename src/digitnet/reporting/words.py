"""Numbers in the form that people write them, and the sentences of the report."""

import dataclasses
import math
from typing import Any

from digitnet.config import FIELDS, OFF, Running, TrainConfig
from digitnet.evaluation.evaluate import Evaluation
from digitnet.presets import nearest_preset, preset

RUNNING = frozenset(field.name for field in dataclasses.fields(Running))
"""Fields that change the record and the device of a run, but not its recipe."""


def percent(fraction: float, decimals: int = 2) -> str:
    """Write a fraction from 0 to 1: ``0.9907`` is ``99.07%``; only 1 is 100% and only 0 is 0%."""
    if math.isnan(fraction):
        return "none"  # a fraction of nothing
    text = f"{100 * fraction:.{decimals}f}"
    if fraction < 1 and float(text) == 100:
        return f">{100 - 10**-decimals:.{decimals}f}%"
    if fraction > 0 and float(text) == 0:
        return f"<{10**-decimals:.{decimals}f}%"
    return f"{text}%"


def duration(seconds: float) -> str:
    """Write seconds with the two units that matter: ``12.3 s``, ``5 min 12 s``, ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """Write a number of bytes in a unit that keeps it short: ``530 MB``."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1_000:
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"


def counted(count: int, thing: str) -> str:
    """Write a count with its noun: ``1 image``, ``1,200 images``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def describe_result(evaluation: Evaluation, config: TrainConfig, summary: dict[str, Any], images: int) -> str:
    """Describe the result in one sentence; `images` is the size of the training split."""
    seen = summary["steps"] * config.images_per_step
    wrong = evaluation.images - evaluation.correct
    time, low, high = (
        duration(summary["seconds"]),
        percent(evaluation.interval.low),
        percent(evaluation.interval.high),
    )
    return (
        f"After {time} of training on {counted(seen, 'image')} ({seen / images:.1f} epochs of {images:,} training "
        f"images), the network reads {percent(evaluation.accuracy)} of {evaluation.images:,} test images "
        f"correctly (95% interval {low} to {high}) and gets {wrong:,} wrong."
    )


def describe_dots(config: TrainConfig, window: int) -> str:
    """Say what the dots of the graph of the training are, of which its line averages `window`."""
    every, images = config.running.log_every, config.images_per_step
    dot = (
        f"the mean of {every:,} steps, each on a batch of {images:,} images"
        if every > 1
        else f"one step on a batch of {images:,} images"
    )
    line = "the line smooths them" if window > 1 else "the line joins them"
    return f"Each blue dot is {dot}; {line}."


def plain(value: object) -> str:
    """Write a value of the configuration or the environment in plain words."""
    if isinstance(value, (tuple, list)):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not known"}[value]
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def setting_rows(config: TrainConfig) -> list[tuple[str, str, str | None]]:
    """List the settings that shaped a run: name, value, and the preset's value if that differs.

    The preset is that of the run's network. What the preset shares is left out where it is off, or belongs to
    another network, or changes only how the run is recorded and where it computes.
    """
    start = preset(nearest_preset(config))
    changed = set(config.differences(start))
    shared = {name: config.value(name) for name in FIELDS if name not in changed}
    hidden = {name for name, value in shared.items() if name in RUNNING or value == OFF.get(name)} | set(
        config.model.unused
    ) - changed
    return [
        (name.replace("_", " "), plain(config.value(name)), plain(start.value(name)) if name in changed else None)
        for name in FIELDS
        if name not in hidden
    ]
