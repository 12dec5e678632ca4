"""Numbers as people write them, and the sentences of the report."""

import dataclasses
import math
from typing import Any

from digitnet import metrics
from digitnet.config import FIELDS, BlogLayers, TrainConfig
from digitnet.evaluation.evaluate import Evaluation
from digitnet.presets import nearest_preset, preset

BLOG_ACCURACY = 0.9922  # what the blog post reports for its one run

# These fields do not decide what is learned, only from where it starts, how it is watched and what computes it.
_INCIDENTAL = frozenset({"seed", "log_every", "validate_every", "save_every", "device", "threads"})


def percent(share: float, decimals: int = 2) -> str:
    """Write a share from 0 to 1: ``0.9907`` is ``99.07%``; never rounded up to a whole 100 nor down to 0."""
    if math.isnan(share):
        return "none"  # nothing to take a share of
    text = f"{100 * share:.{decimals}f}"
    if share < 1 and float(text) == 100:
        return f">{100 - 10**-decimals:.{decimals}f}%"
    if share > 0 and float(text) == 0:
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
    """Write bytes in the unit that keeps the number short: ``530 MB``."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1_000:
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"


def counted(count: int, thing: str) -> str:
    """Write a count with its noun: ``1 image``, ``1,200 images``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def describe_result(evaluation: Evaluation, config: TrainConfig, summary: dict[str, Any], images: int) -> str:
    """Say in one sentence what came out; `images` is the size of the training split."""
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


def is_blog_experiment(config: TrainConfig) -> bool:
    """Whether a run did what the blog's program does, whatever its seed and machine."""
    return set(config.differences(preset("blog"))) <= _INCIDENTAL


def compare_with_blog(evaluation: Evaluation) -> str:
    """Set one run's accuracy beside the blog's."""
    difference = 100 * (evaluation.accuracy - BLOG_ACCURACY)
    direction = "above" if difference > 0 else "below"
    apart = f"is {abs(difference):.2f} percentage points {direction}"
    distance = apart if abs(difference) >= 0.005 else "equals it"
    inside = evaluation.interval.low <= BLOG_ACCURACY <= evaluation.interval.high
    where = "inside this interval, so chance alone may explain it" if inside else "outside this interval"
    return (
        f"The blog reports {percent(BLOG_ACCURACY)} for the same experiment. This run {distance}; the blog's "
        f"figure lies {where}. Both are single runs: other seeds give slightly other figures."
    )


def describe_calibration(evaluation: Evaluation) -> str:
    """Say how far the network's confidence can be believed."""
    gap = metrics.calibration_error(evaluation.logits, evaluation.labels)
    confidence = float(metrics.softmax(evaluation.logits).max(axis=1).mean())
    surplus = confidence - evaluation.accuracy
    half_width = (evaluation.interval.high - evaluation.interval.low) / 2
    leaning = "a little too sure of itself" if surplus > 0 else "a little too modest"
    if abs(surplus) > 0.02:
        leaning = "too sure of itself" if surplus > 0 else "too modest"
    if abs(surplus) < half_width:
        leaning = "as sure as it should be, as far as this many images can tell"
    return (
        f"On average the network claims to be {percent(confidence)} sure, and is right "
        f"{percent(evaluation.accuracy)} of the time: it is {leaning}. Its calibration error is {gap:.4f}: taken "
        f"over all images, confidence and success differ by {100 * gap:.2f} percentage points."
    )


def describe_coverage(evaluation: Evaluation) -> str:
    """Say how many images could be answered if wrong answers were to be rare."""
    shares = [
        f"{percent(evaluation.coverage.coverage(wanted))} with {percent(wanted)}" for wanted in (0.999, 0.9999)
    ]
    return (
        'A network that may say "not sure" errs less. If it answered only the images of which it is surest, it '
        f"could answer {shares[0]} right, and {shares[1]}."
    )


def describe_smoothing(config: TrainConfig, classes: int) -> str:
    """Say at which loss label smoothing aims; nothing where there is none."""
    smoothing = config.optimisation.label_smoothing
    if not smoothing:
        return ""
    aim = 1 - smoothing + smoothing / classes
    return (
        f"Label smoothing of {smoothing:g} makes the network aim at {percent(aim)} for the label of "
        f"each image, which is a loss of {-math.log(aim):.3f}, and not at a loss of 0."
    )


def plain(value: object) -> str:
    """Write a value of the configuration or the environment as a person would."""
    if isinstance(value, (tuple, list)):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not known"}[value]
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def field_rows(config: TrainConfig) -> list[tuple[str, str, str | None]]:
    """List the fields that shaped a run, each with its value, and that of its preset where it is another."""
    start = preset(nearest_preset(config))
    changed = set(config.differences(start))
    unused = set() if config.model.network == "blog" else {field.name for field in dataclasses.fields(BlogLayers)}
    return [
        (name, plain(config.value(name)), plain(start.value(name)) if name in changed else None)
        for name in FIELDS
        if name not in unused
    ]
