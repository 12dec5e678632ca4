"""What the page says of the network's confidence: whether it can be trusted, and why not."""

import math

from digitnet import metrics
from digitnet.config import TrainConfig
from digitnet.evaluation.evaluate import Evaluation
from digitnet.reporting.words import percent

_NEAR = 0.03  # below what label smoothing aims at: closer than this, it explains a low confidence by itself


def describe_smoothing(config: TrainConfig, classes: int) -> str:
    """Name the loss that label smoothing aims at; empty without label smoothing."""
    smoothing = config.optimisation.label_smoothing
    if not smoothing:
        return ""
    aim = label_aim(smoothing, classes)
    return (
        f"With label smoothing of {smoothing:g}, the network aims at a probability of {percent(aim)} for the "
        f"label of each image, which is a loss of {-math.log(aim):.3f}, not 0."
    )


def describe_calibration(evaluation: Evaluation, config: TrainConfig, training_accuracy: float) -> str:
    """Describe how well confidence and accuracy agree, and why they do not; `training_accuracy` is of the end."""
    gap = metrics.calibration_error(evaluation.logits, evaluation.labels)
    confidence = float(metrics.softmax(evaluation.logits).max(axis=1).mean())
    surplus = confidence - evaluation.accuracy
    half_width = (evaluation.interval.high - evaluation.interval.low) / 2
    too = "too" if abs(surplus) > 0.02 else "a little too"
    if abs(surplus) < half_width:
        leaning = f"On average, confidence and accuracy agree, as far as {evaluation.images:,} images can tell"
        cause = ""
    elif surplus > 0:
        leaning = f"The network is {too} sure of itself (overconfident)"
        cause = _cause_of_overconfidence(evaluation, training_accuracy)
    else:
        leaning = f"The network is {too} modest (underconfident)"
        cause = _cause_of_underconfidence(confidence, evaluation, config)
    return (
        f"{leaning}: its mean confidence is {percent(confidence)}, and it reads {percent(evaluation.accuracy)} "
        f"correctly. {cause}Taken over groups of images of similar confidence, confidence and accuracy differ by "
        f"{100 * gap:.2f} percentage points on average (the expected calibration error)."
    )


def _cause_of_overconfidence(evaluation: Evaluation, training_accuracy: float) -> str:
    if training_accuracy <= evaluation.interval.high:
        return "This run does not show why. "
    return (
        f"In its last steps it read {percent(training_accuracy)} of the training images correctly, and learned to "
        "be as sure as that. It is about as sure of new images, of which it reads fewer. "
    )


def _cause_of_underconfidence(confidence: float, evaluation: Evaluation, config: TrainConfig) -> str:
    if smoothing := config.optimisation.label_smoothing:
        aim = label_aim(smoothing, len(evaluation.label_names))
        trained = f"label smoothing of {smoothing:g}: it is trained to answer with {100 * aim:.3g}%, not with 100%"
        if evaluation.accuracy <= aim:
            return f"One cause is {trained}. "
        if aim - confidence <= _NEAR:
            return f"That is meant to be so. The cause is {trained}, so its confidence stays below its accuracy. "
        return (
            f"A part of that is meant to be so, because of {trained}. This does not explain the "
            f"{100 * (aim - confidence):.1f} percentage points by which it stays below that. "
        )
    if config.images.augment != "none":
        return "One cause is the augmentation: it is trained on images that are harder to read than these. "
    if config.model.members > 1 or config.model.tta > 1:
        return (
            "One cause is that it answers with the mean of several answers, which is never surer than they are. "
        )
    return "This run does not show why. "


def label_aim(smoothing: float, classes: int) -> float:
    """Probability, 0 to 1, that label smoothing aims at for the label of an image."""
    return 1 - smoothing + smoothing / classes


def describe_coverage(evaluation: Evaluation) -> str:
    """Describe how many images can be answered at a wanted accuracy; it is in-sample, and says so."""
    coverage = {f"{100 * wanted:g}%": evaluation.coverage.coverage(wanted) for wanted in (0.999, 0.9999)}
    strictest = {part: wanted for wanted, part in coverage.items() if part}
    answered = [f"{percent(part)} of the images, {wanted} of them correctly" for part, wanted in strictest.items()]
    found = (
        f"If it answered only above a certain confidence, it could answer {', or '.join(answered)}."
        if answered
        else f"But at no confidence are {next(iter(coverage))} of this one's answers correct."
    )
    return (
        f'A network that may say "not sure" makes fewer mistakes. {found} This is in-sample: the thresholds are '
        "chosen on the same test images on which accuracy is measured, so it is a little optimistic."
    )
