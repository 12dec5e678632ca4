"""Numbers in the form that people write them, and the sentences of the report."""

import math
from typing import Any

from digitnet import metrics
from digitnet.config import FIELDS, TrainConfig
from digitnet.evaluation.evaluate import Evaluation
from digitnet.presets import nearest_preset, preset


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
        f"After {time} of training on {counted(seen, 'image')} ({seen / images:.1f} passes over {images:,}), "
        f"the network reads {percent(evaluation.accuracy)} of {evaluation.images:,} test images correctly "
        f"(95% interval {low} to {high}) and gets {wrong:,} wrong."
    )


def describe_calibration(evaluation: Evaluation) -> str:
    """Describe how well confidence and accuracy agree."""
    gap = metrics.calibration_error(evaluation.logits, evaluation.labels)
    confidence = float(metrics.softmax(evaluation.logits).max(axis=1).mean())
    surplus = confidence - evaluation.accuracy
    half_width = (evaluation.interval.high - evaluation.interval.low) / 2
    leaning = "slightly overconfident" if surplus > 0 else "slightly underconfident"
    if abs(surplus) > 0.02:
        leaning = "overconfident" if surplus > 0 else "underconfident"
    if abs(surplus) < half_width:
        leaning = "well calibrated on average, as far as this many images can tell"
    return (
        f"The mean confidence is {percent(confidence)} and the accuracy {percent(evaluation.accuracy)}: the "
        f"network is {leaning}. The expected calibration error is {gap:.4f}: averaged over all images, "
        f"confidence and accuracy differ by {100 * gap:.2f} percentage points."
    )


def describe_coverage(evaluation: Evaluation) -> str:
    """Describe how many images can be answered at a wanted accuracy; it is in-sample, and says so."""
    answered = [
        f"{percent(evaluation.coverage.coverage(wanted))} of the images with an accuracy of {percent(wanted)}"
        for wanted in (0.999, 0.9999)
    ]
    return (
        'A network that may say "not sure" makes fewer mistakes. If it answered only above a threshold of '
        f"confidence, it could answer {answered[0]}, and {answered[1]}. These figures are in-sample: the "
        "thresholds are chosen on the same test images on which accuracy is measured, so they are a little "
        "optimistic."
    )


def describe_smoothing(config: TrainConfig, classes: int) -> str:
    """Name the loss that label smoothing aims at; empty without label smoothing."""
    smoothing = config.optimisation.label_smoothing
    if not smoothing:
        return ""
    aim = 1 - smoothing + smoothing / classes
    return (
        f"With label smoothing of {smoothing:g}, the network aims at a probability of {percent(aim)} for the "
        f"label of each image, which is a loss of {-math.log(aim):.3f}, not 0."
    )


def plain(value: object) -> str:
    """Write a value of the configuration or the environment in plain words."""
    if isinstance(value, (tuple, list)):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not known"}[value]
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def field_rows(config: TrainConfig) -> list[tuple[str, str, str | None]]:
    """List the fields of a run: name, value, and the preset's value if that differs."""
    start = preset(nearest_preset(config))
    changed = set(config.differences(start))
    return [
        (name, plain(config.value(name)), plain(start.value(name)) if name in changed else None)
        for name in FIELDS
        if name not in config.model.unused
    ]
